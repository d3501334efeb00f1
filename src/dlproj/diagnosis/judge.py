"""The rule of every verdict on an explanation."""

from dlproj.results import Explanation


def judge(claim: str, *, supported: bool, refuted: bool, evidence: str) -> Explanation:
    """A claim with its verdict: neither of the two is "mixed"."""
    verdict = "supported" if supported else "not supported" if refuted else "mixed"
    return {"claim": claim, "verdict": verdict, "evidence": evidence}

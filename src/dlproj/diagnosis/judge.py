"""The rules of verdicts on explanations."""

from typing import Any

from dlproj.results import Explanation
from dlproj.statistics import decide, pairs_to_decide

VERDICTS = {"more": "supported", "no more": "not supported", "undecided": "undecided"}


def judge(claim: str, *, supported: bool, refuted: bool, evidence: str) -> Explanation:
    """A claim with its verdict: neither of the two is "mixed"."""
    verdict = "supported" if supported else "not supported" if refuted else "mixed"
    return {"claim": claim, "verdict": verdict, "evidence": evidence}


def judge_test(
    claim: str, test: dict[str, Any], *, matters: float, evidence: str, harmless: bool = False
) -> Explanation:
    """A claim that a difference is above 0, by `decide`.

    Args:
        claim: the claim.
        test: the difference, as `dlproj.statistics.compare` returns it.
        matters: the smallest difference that is worth anything.
        evidence: what was measured, in words; the test is added.
        harmless: the claim is the opposite, that there is no difference worth anything.
    """
    decision = decide(test, matters)
    if harmless:
        decision = {"more": "no more", "no more": "more"}.get(decision, decision)
    text = f"{evidence}; {describe_test(test)}"
    if decision == "undecided":
        text += f"; about {pairs_to_decide(test, matters):,} seeds would decide it"
    return {"claim": claim, "verdict": VERDICTS[decision], "evidence": text}


def describe_test(test: dict[str, Any]) -> str:
    """A paired test in words."""
    if test["p_adjusted"] is None:
        return "1 seed"
    low, high = test["ci95"]
    effect = "" if test["effect_size"] is None else f", effect size {test['effect_size']:.1f}"
    return (
        f"95 % interval of the difference {low:.3g} to {high:.3g}, p = {test['p_adjusted']:.2g}"
        f"{effect}, {test['pairs']} seeds"
    )

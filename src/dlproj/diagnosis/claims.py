"""Explanations, and what measurements say of them."""

from collections.abc import Sequence
from typing import Any

from dlproj.output.console import Table

Claim = dict[str, str]  # claim, verdict, evidence


def judge(claim: str, *, supported: bool, refuted: bool, evidence: str) -> Claim:
    """A claim with its verdict: neither of the two is "mixed"."""
    verdict = "supported" if supported else "not supported" if refuted else "mixed"
    return {"claim": claim, "verdict": verdict, "evidence": evidence}


def claims_table(diagnosis: dict[str, Any]) -> Table:
    """The claims for people."""
    claims: Sequence[Claim] = diagnosis["claims"]
    rows = []
    for claim in claims:
        rows += [[f"{claim['verdict']}: {claim['claim']}"], [f"  {claim['evidence']}"], [""]]
    return Table("What the measurements say of the report's explanations", ("",), rows[:-1])

"""The report's sentences, each with what the runs at hand say of it."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from dlproj.reports.claims.base import Claim, Runs
from dlproj.reports.claims.sentences import SENTENCES

__all__ = ["Claim", "as_dicts", "claims", "counts", "explanations"]


def claims(runs: Runs) -> list[Claim]:
    """A row for each sentence that can be measured; for two, where it says two things."""
    return [
        replace(measure(runs), source=sentence.source)
        for sentence in SENTENCES
        for measure in sentence.measures
    ]


def explanations(runs: Runs) -> list[dict[str, str]]:
    """The report's explanations, as the laboratories judged them, with the run that did."""
    return [
        {**claim, "run": str(run.path)}
        for run in runs
        for part in ("diagnosis", "norms")
        for claim in run.metrics.get(part, {}).get("claims", ())
    ]


def as_dicts(found: Sequence[Claim]) -> list[dict[str, str]]:
    """For JSON."""
    return [asdict(claim) for claim in found]


def counts(found: Sequence[Claim]) -> str:
    """How many claims have which verdict, in words."""
    number: dict[str, int] = {}
    for claim in found:
        number[claim.verdict] = number.get(claim.verdict, 0) + 1
    return ", ".join(f"{count} {verdict}" for verdict, count in number.items())

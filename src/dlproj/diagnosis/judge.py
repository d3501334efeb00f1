"""The rules of verdicts on explanations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlproj.diagnosis.samples import describe_test
from dlproj.results import Explanation
from dlproj.statistics import FEWEST, decide, describe, pairs_to_decide, values_to_part

VERDICTS = {"more": "supported", "no more": "not supported", "undecided": "undecided"}


@dataclass(frozen=True)
class Answer:
    """Whether something holds of a mean, of which only an interval is known.

    `&` asks whether both hold, `~` whether it does not.
    """

    holds: bool | None  # None: the interval does not tell
    values: int = 0  # how many would tell, where these do not

    def __and__(self, other: "Answer") -> "Answer":
        if self.holds is False or other.holds is False:
            return Answer(holds=False)
        if self.holds is None or other.holds is None:
            return Answer(None, max(self.values, other.values))
        return self

    def __invert__(self) -> "Answer":
        return self if self.holds is None else Answer(not self.holds)


def above(values: Sequence[float], bound: float) -> Answer:
    """Whether the mean is above a bound: as the whole of its 95 % interval is, or is not.

    A single value is its own interval.
    """
    low, high = describe(values)["ci95"]
    if low <= bound < high:
        return Answer(None, values_to_part(values, bound))
    return Answer(low > bound)


def below(values: Sequence[float], bound: float) -> Answer:
    """Whether the mean is below a bound, likewise."""
    return above([-value for value in values], -bound)


def judge(
    claim: str,
    *,
    supported: Answer,
    refuted: Answer,
    evidence: str,
    sampled: int | None = None,
    kind: str = "seeds",
) -> Explanation:
    """A claim with its verdict: neither of the two is "mixed", and what is open is "undecided".

    Args:
        claim: the claim.
        supported: whether what speaks for it holds.
        refuted: whether what speaks against it holds.
        evidence: what was measured, in words.
        sampled: how many of a kind were measured, if chance chose them; a few decide nothing.
        kind: of what was measured.
    """
    answers = (supported, refuted)
    if sampled is not None:
        evidence += f"; {sampled} {kind if sampled > 1 else kind.removesuffix('s')}"
    if sampled is not None and sampled < FEWEST:
        verdict = "undecided"
        evidence += ", too few"
    elif supported.holds:
        verdict = "supported"
    elif refuted.holds:
        verdict = "not supported"
    elif any(answer.holds is None for answer in answers):
        verdict = "undecided"
        needed = max(answer.values for answer in answers)
        evidence += f"; about {needed:,} {kind} would decide it"
    else:
        verdict = "mixed"
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

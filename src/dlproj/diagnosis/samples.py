"""Numbers of several seeds or networks: how they differ, pair by pair, and how that reads."""

import math
from collections.abc import Sequence
from typing import Any

from dlproj.statistics import compare, describe

TINY = 1e-9  # stands for 0 where there is a logarithm


def logs(values: Sequence[float]) -> list[float]:
    """Logarithms, whose differences are ratios."""
    return [math.log(max(value, TINY)) for value in values]


def log_ratios(own: Sequence[float], other: Sequence[float]) -> list[float]:
    """The logarithm of the ratio of each pair."""
    return [a - b for a, b in zip(logs(own), logs(other), strict=True)]


def differences(own: Sequence[float], other: Sequence[float]) -> list[float]:
    """Of each pair."""
    return [a - b for a, b in zip(own, other, strict=True)]


def describe_test(test: dict[str, Any]) -> str:
    """A paired test in words."""
    if test["p_adjusted"] is None:
        return "1 seed"
    low, high = test["ci95"]
    return (
        f"95 % interval of the difference {low:.3g} to {high:.3g}, {_significance(test)}, "
        f"{test['pairs']} seeds"
    )


def with_interval(values: Sequence[float], form: str) -> str:
    """The mean, with its 95 % interval where there are several values."""
    summary = describe(values)
    low, high = summary["ci95"]
    text = f"{summary['mean']:{form}}"
    return f"{text} (95 % interval {low:{form}} to {high:{form}})" if len(values) > 1 else text


def difference_in_words(own: Sequence[float], other: Sequence[float], form: str) -> str:
    """How much one is above the other, pair by pair, with the test of it."""
    (test,) = compare([(own, other)])
    low, high = test["ci95"]
    text = f"{test['difference']:{form}}"
    if len(own) == 1:
        return text
    return f"{text} (95 % interval {low:{form}} to {high:{form}}, {_significance(test)})"


def ratio_in_words(own: Sequence[float], other: Sequence[float]) -> str:
    """How many times the other one is, pair by pair, with the test of the logarithms."""
    (test,) = compare([(logs(own), logs(other))])
    low, high = map(math.exp, test["ci95"])
    text = f"{math.exp(test['difference']):.3g} times"
    if len(own) == 1:
        return text
    return f"{text} (95 % interval {low:.3g} to {high:.3g}, {_significance(test)})"


def _significance(test: dict[str, Any]) -> str:
    effect = "" if test["effect_size"] is None else f", effect size {test['effect_size']:.1f}"
    return f"p = {test['p_adjusted']:.2g}{effect}"

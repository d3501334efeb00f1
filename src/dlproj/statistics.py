"""Means, intervals and tests over repeated runs."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

SIGNIFICANT = 0.05
FEWEST = 3  # pairs, to say anything
MOST_PAIRS = 10_000  # that are counted up to


def describe(values: Sequence[float]) -> dict[str, Any]:
    """Mean, sample standard deviation, and the mean's 95 % interval by Student's t.

    A single value has a deviation of 0 and is its own interval.
    """
    mean = math.fsum(values) / len(values)
    std, (low, high) = _spread(values, mean)
    return {"mean": mean, "std": std, "ci95": [low, high], "values": list(values)}


def prediction_interval(values: Sequence[float]) -> tuple[float, float]:
    """Where one more value of the same kind falls in 95 of 100 cases, by Student's t.

    Args:
        values: two or more.
    """
    std, (low, high) = _spread(values, math.fsum(values) / len(values))
    if not std:
        return low, high
    middle, half = (low + high) / 2, (high - low) / 2
    half *= math.sqrt(len(values) + 1)  # from s·t/sqrt(n) to s·t·sqrt(1 + 1/n)
    return middle - half, middle + half


def paired_test(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    """Mean difference of pairs, its 95 % interval, and the p-value of Student's paired t-test.

    The p-value is None for a single pair; it is 1 where all pairs are equal, and 0 where all
    differ by the same amount.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean = math.fsum(differences) / len(differences)
    std, interval = _spread(differences, mean)
    p_value: float | None
    if len(differences) == 1:
        p_value = None
    elif std == 0:
        p_value = float(mean == 0)
    else:
        from scipy.stats import ttest_rel  # noqa: PLC0415 - takes a second

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of differences that are nearly equal
            p_value = float(ttest_rel(first, second).pvalue)
    return {"difference": mean, "ci95": list(interval), "p_value": p_value}


def compare(pairs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> list[dict[str, Any]]:
    """Several paired tests at once: each `paired_test`, and what follows from there being several.

    Args:
        pairs: for each, two samples of one length whose values belong together in order.

    Returns:
        of each: `pairs` (their number), `difference`, `std` of the differences, `ci95`, `p_value`,
        `p_adjusted` by Holm's method for all of them, and `effect_size`, the mean difference in
        standard deviations of the differences (Cohen's d of pairs; None where that is 0).
    """
    tests = []
    for first, second in pairs:
        std = describe([a - b for a, b in zip(first, second, strict=True)])["std"]
        test = paired_test(first, second)
        effect = test["difference"] / std if std else None
        tests.append({"pairs": len(first), "std": std, **test, "effect_size": effect})
    known = [test["p_value"] for test in tests if test["p_value"] is not None]
    adjusted = iter(holm(known))
    return [
        test | {"p_adjusted": None if test["p_value"] is None else next(adjusted)} for test in tests
    ]


def decide(test: dict[str, Any], matters: float) -> str:
    """What a test of `compare` shows of a difference that should be above 0.

    Args:
        test: as `compare` returns it.
        matters: the smallest difference that is worth anything, above 0.

    Returns:
        "no more": the 95 % interval lies below what matters, so that the difference, if there is
        any, is too small; else "more": it lies above 0, and the adjusted p-value is below 0.05;
        else "undecided".
    """
    low, high = test["ci95"]
    if test["pairs"] < FEWEST:
        return "undecided"
    if high < matters:
        return "no more"
    return "more" if low > 0 and test["p_adjusted"] < SIGNIFICANT else "undecided"


def pairs_to_decide(test: dict[str, Any], matters: float) -> int:
    """How many pairs would decide an undecided test in 80 of 100 cases.

    That is where the difference and its deviation stay as they are now: as many as tell it from 0
    or from what matters, whichever is farther. From 0 it has to be told with a p-value that is
    still small enough when it is adjusted as it is now.
    """
    from_zero, from_worth = test["difference"], matters - test["difference"]
    level = SIGNIFICANT
    if from_zero > from_worth and test["p_adjusted"]:
        level *= test["p_value"] / test["p_adjusted"]
    return _enough(test["std"], max(from_zero, from_worth), above=test["pairs"], level=level)


def values_to_part(values: Sequence[float], bound: float) -> int:
    """How many values would part their mean from a bound in 80 of 100 cases, likewise."""
    summary = describe(values)
    return _enough(summary["std"], abs(summary["mean"] - bound), above=len(values))


def _enough(std: float, distance: float, *, above: int, level: float = SIGNIFICANT) -> int:
    """The first number of values, above one, that tell a distance from 0 in 80 of 100 cases.

    n do when (t(1 - level / 2) + t(0.8)) · std / sqrt(n) is no larger than the distance,
    with Student's t of n - 1 degrees of freedom.
    """
    from scipy.stats import t as student  # noqa: PLC0415 - takes a second

    n = max(FEWEST, above + 1)
    while n < MOST_PAIRS:
        reach = float(student.ppf(1 - level / 2, n - 1) + student.ppf(0.8, n - 1))
        if reach * std <= distance * math.sqrt(n):
            break
        n += max(1, n // 50)
    return n


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for being several (Holm 1979): the k-th smallest of n times n + 1 - k."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _spread(values: Sequence[float], mean: float) -> tuple[float, tuple[float, float]]:
    """Sample standard deviation, and the 95 % interval of the mean."""
    n = len(values)
    if n == 1:
        return 0.0, (mean, mean)
    from scipy.stats import t as student  # noqa: PLC0415 - takes a second

    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(student.ppf(0.975, n - 1)) * std / math.sqrt(n)
    return std, (mean - half, mean + half)

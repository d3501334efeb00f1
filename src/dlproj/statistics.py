"""Means, intervals and tests over repeated runs."""

import math
from collections.abc import Sequence
from typing import Any


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

        p_value = float(ttest_rel(first, second).pvalue)
    return {"difference": mean, "ci95": list(interval), "p_value": p_value}


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

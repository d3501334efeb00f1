"""Intervals and tests, against textbook numbers and closed forms."""

import math

import pytest

from dlproj.experiments.batchnorm import compare_arms, thin_out, verdict
from dlproj.statistics import (
    compare,
    decide,
    describe,
    holm,
    paired_test,
    pairs_to_decide,
    prediction_interval,
    values_to_part,
)


def test_describe() -> None:
    summary = describe([1.0, 2.0, 3.0, 4.0])
    assert summary["mean"] == 2.5
    assert summary["std"] == pytest.approx(1.290994)
    # Student's t for 3 degrees of freedom is 3.182446.
    half = 3.182446 * 1.290994 / 2
    assert summary["ci95"] == pytest.approx([2.5 - half, 2.5 + half], abs=1e-5)


def test_one_value_is_its_own_interval() -> None:
    assert describe([0.5])["ci95"] == [0.5, 0.5]


def test_paired_test() -> None:
    # Differences 1, 2, 3: mean 2, standard error 1/sqrt(3), so t = 3.4641 with 2 degrees.
    result = paired_test([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert result["difference"] == 2
    assert result["p_value"] == pytest.approx(0.0741799, abs=1e-6)
    assert result["ci95"] == pytest.approx([2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5])


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [([1.0], [2.0], None), ([1.0, 2.0], [1.0, 2.0], 1.0), ([2.0, 3.0], [1.0, 2.0], 0.0)],
)
def test_degenerate_pairs(first: list[float], second: list[float], p_value: float | None) -> None:
    assert paired_test(first, second)["p_value"] == p_value


# 97.5 % of Student's t with one degree of freedom (Cauchy's distribution), and with two.
ONE = math.tan(0.475 * math.pi)
TWO = 0.95 * math.sqrt(2 / (1 - 0.95**2))
PAIR, THREE = [3.0, 7.0], [1.0, 4.0, 10.0]  # deviations of 2 sqrt(2) and of sqrt(21)


def test_describe_in_closed_form() -> None:
    assert describe(PAIR) == {
        "mean": 5,
        "std": pytest.approx(2 * math.sqrt(2)),
        "ci95": pytest.approx([5 - 2 * ONE, 5 + 2 * ONE]),
        "values": PAIR,
    }
    half = TWO * math.sqrt(21 / 3)
    assert describe(tuple(THREE)) == {
        "mean": 5,
        "std": pytest.approx(math.sqrt(21)),
        "ci95": pytest.approx([5 - half, 5 + half]),
        "values": THREE,
    }
    assert describe([7.0]) == {"mean": 7, "std": 0, "ci95": [7, 7], "values": [7]}


def test_prediction_interval_in_closed_form() -> None:
    half = ONE * 2 * math.sqrt(2) * math.sqrt(1 + 1 / 2)
    assert prediction_interval(PAIR) == pytest.approx((5 - half, 5 + half))
    half = TWO * math.sqrt(21) * math.sqrt(1 + 1 / 3)
    assert prediction_interval(THREE) == pytest.approx((5 - half, 5 + half))
    assert prediction_interval([2.0, 2.0, 2.0]) == (2, 2)


def test_paired_test_in_closed_form() -> None:
    """With one degree of freedom p is 1 - 2/π atan |t|, with two 1 - |t| / sqrt(2 + t²)."""
    other = [10.0, 20.0, 30.0]
    pair = paired_test([a + b for a, b in zip(PAIR, other, strict=False)], other[:2])
    t = 5 / 2
    assert pair == {
        "difference": 5,
        "ci95": pytest.approx([5 - 2 * ONE, 5 + 2 * ONE]),
        "p_value": pytest.approx(1 - 2 / math.pi * math.atan(t)),
    }
    three = paired_test(other, [b + a for a, b in zip(THREE, other, strict=True)])
    t, half = 5 / math.sqrt(21 / 3), TWO * math.sqrt(21 / 3)
    assert three == {
        "difference": -5,
        "ci95": pytest.approx([-5 - half, -5 + half]),
        "p_value": pytest.approx(1 - t / math.sqrt(2 + t**2)),
    }
    assert paired_test([4.0], [1.0]) == {"difference": 3, "ci95": [3, 3], "p_value": None}


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_test([1.0, 2.0], [1.0])


def cell(with_: list[float], without: list[float], diverged: tuple[int, int] = (0, 0)) -> str:
    runs = [
        {"arm": arm, "accuracy": value, "diverged": index < count}
        for arm, values, count in (("with", with_, diverged[0]), ("without", without, diverged[1]))
        for index, value in enumerate(values)
    ]
    other = [{"arm": run["arm"], "accuracy": 0.5, "diverged": 0, "lr": 0.1} for run in runs]
    return verdict(compare_arms([*other, *({"lr": 0.2} | run for run in runs)], [0.1, 0.2])[1])


def test_verdicts_in_plain_words() -> None:
    assert cell([0.98, 0.99, 0.97], [0.98, 0.985, 0.98]).startswith("no difference shown at 0.2")
    assert "more accurate with BatchNorm" in cell([0.98, 0.981, 0.982], [0.95, 0.952, 0.951])
    assert "less accurate with BatchNorm" in cell([0.95, 0.952, 0.951], [0.98, 0.981, 0.982])
    assert (
        cell([0.98, 0.98], [0.1, 0.97], (0, 1))
        == "without BatchNorm training diverges at 0.2 (1 of 2 runs)"
    )
    assert "both diverge (1 and 2 of 2 runs)" in cell([0.1, 0.9], [0.1, 0.1], (1, 2))
    assert "shows nothing" in cell([0.9], [0.8])


def test_a_difference_must_hold_against_all_comparisons() -> None:
    with_, without = [0.980, 0.984, 0.982, 0.983], [0.979, 0.981, 0.981, 0.980]
    p_value = paired_test(with_, without)["p_value"]
    assert 0.025 < p_value < 0.05
    assert cell(with_, without).startswith("no difference shown")


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.01, 0.005, 0.4, 0.5, 0.9]) == pytest.approx([0.04, 0.025, 1, 1, 1])
    assert holm([0.02, 0.02]) == [0.04, 0.04]
    assert holm([]) == []


def test_loss_curves_are_thinned_by_means() -> None:
    assert thin_out([1.0, 2.0]) == [1.0, 2.0]
    thin = thin_out([float(n) for n in range(1000)])
    assert len(thin) == 100
    assert thin[0] == 4.5


def test_several_comparisons_are_paired_tests_adjusted_together() -> None:
    pairs = [([3.0, 7.0, 8.0], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [1.5, 1.9, 3.2])]
    found = compare(pairs)
    alone = [paired_test(*pair) for pair in pairs]
    assert [row["p_value"] for row in found] == [row["p_value"] for row in alone]
    assert [row["p_adjusted"] for row in found] == holm([row["p_value"] for row in alone])
    # Differences 2, 5, 5: mean 4, deviation sqrt(3).
    assert found[0]["effect_size"] == pytest.approx(4 / math.sqrt(3))
    assert found[0]["pairs"] == 3
    assert compare([([1.0], [2.0])])[0]["p_adjusted"] is None
    assert compare([([2.0, 3.0], [1.0, 2.0])])[0]["effect_size"] is None


@pytest.mark.parametrize(
    ("low", "high", "p", "pairs", "expected"),
    [
        (0.02, 0.05, 0.01, 5, "more"),
        (0.02, 0.05, 0.06, 5, "undecided"),  # not after adjustment
        (-0.01, 0.05, 0.2, 5, "undecided"),
        (-0.03, 0.005, 0.2, 5, "no more"),
        (0.001, 0.005, 0.01, 5, "no more"),  # real, and too small to matter
        (0.02, 0.05, 0.01, 2, "undecided"),
        (0.02, 0.05, 0.01, 3, "more"),
        (0.0, 0.05, 0.01, 5, "undecided"),  # 0 is in the interval, as its ends are
        (-0.01, 0.01, 0.2, 5, "undecided"),
        (0.002, 0.01, 0.01, 5, "more"),
        (0.02, 0.05, 0.05, 5, "undecided"),  # 0.05 is not below 0.05
    ],
)
def test_a_difference_is_decided_by_its_interval(
    low: float, high: float, p: float, pairs: int, expected: str
) -> None:
    test = {"ci95": [low, high], "p_adjusted": p, "pairs": pairs}
    assert decide(test, 0.01) == expected


@pytest.mark.parametrize("std", [1.0, 0.02, 30.0])
def test_pairs_that_would_decide_are_those_of_a_power_of_80_percent(std: float) -> None:
    # Julious 2004, a paired design: a difference of half a deviation needs 34 pairs.
    test = {"difference": std / 2, "std": std, "pairs": 3, "p_value": 0.4, "p_adjusted": 0.4}
    assert abs(pairs_to_decide(test, std / 100) - 34) <= 1
    far = test | {"difference": 0.0}  # to be told from what matters
    assert abs(pairs_to_decide(far, std / 2) - 34) <= 1


def test_few_pairs_that_would_decide_are_those_of_the_t_table() -> None:
    """Of five, 2.776 + 0.941 = 3.717 deviations by the square root of five are 1.662."""
    test = {"difference": 1.67, "std": 1.0, "pairs": 3, "p_value": 0.04, "p_adjusted": 0.04}
    assert pairs_to_decide(test, 0.01) == 5
    assert pairs_to_decide(test | {"difference": 1.66}, 0.01) == 6


def test_pairs_that_would_decide_allow_for_the_adjustment() -> None:
    """Of ten tests at once, 0.005 is what counts: (2.81 + 0.84)² · 4 pairs by the normal curve."""
    test = {"difference": 0.5, "std": 1.0, "pairs": 3, "p_value": 0.01, "p_adjusted": 0.1}
    assert 53 < pairs_to_decide(test, 0.01) <= 59
    far = test | {"difference": 0.0}  # an interval is not adjusted
    assert abs(pairs_to_decide(far, 0.5) - 34) <= 1


@pytest.mark.parametrize("bound", [2.0, 3.0])
def test_values_that_would_part_a_mean_from_a_bound(bound: float) -> None:
    shaken = [2.5 + side for side in (-1.0, 1.0, 0.0)]  # a deviation of 1, half of it from either
    assert abs(values_to_part(shaken, bound) - 34) <= 1

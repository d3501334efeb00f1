"""The result of `train-regression` for people."""

from collections.abc import Sequence

from dlproj.output.tables.base import Table, by_seed
from dlproj.output.text import number
from dlproj.results import RegressionMetrics, RegressionTiming


def tables(metrics: RegressionMetrics, timing: RegressionTiming) -> list[Table]:
    """The result for people."""
    return [
        Table(
            "Result",
            ("", ""),
            [
                ["test loss (half the MSE)", number(metrics["test_loss"], ".3g")],
                ["test MSE", number(metrics["test_mse"], ".3g")],
                ["largest error", number(metrics["max_abs_error"], ".3g")],
                ["parameters", number(metrics["parameters"], ",.0f")],
                ["training", number(timing["train_seconds"], ".2f") + " s"],
            ],
        )
    ]


def headline(metrics: RegressionMetrics) -> str:
    """The number that matters most."""
    return "loss " + number(metrics["test_loss"], ".2g")


def scalars(metrics: RegressionMetrics, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The numbers to compare between runs, by seed."""
    return {name: by_seed(value, seeds) for name, value in metrics.items() if name != "parameters"}

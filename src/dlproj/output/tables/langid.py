"""The result of `train-langid` for people."""

from collections.abc import Sequence

from dlproj.output.tables.base import Table, by_seed
from dlproj.output.text import number, percent
from dlproj.results import LangidMetrics, LangidTiming
from dlproj.results.langid import Calibration


def tables(metrics: LangidMetrics, timing: LangidTiming) -> list[Table]:
    """The result for people."""
    calibrated = _calibration_errors(metrics["calibration"]) if "calibration" in metrics else []
    rows = [
        ["test accuracy", percent(metrics["test_accuracy"])],
        ["validation accuracy", percent(metrics["dev_accuracy"])],
        ["test loss", number(metrics["test_loss"])],
        *calibrated,
        ["parameters", number(metrics["parameters"], ",.0f")],
        ["training", number(timing["train_seconds"], ".1f") + " s"],
    ]
    result = [Table("Result", ("", ""), rows)]
    if "per_language" in metrics:
        by_language = [
            [name, "no words" if value is None else percent(value)]
            for name, value in metrics["per_language"].items()
        ]
        result.append(Table("Accuracy by language", ("language", "accuracy"), by_language))
    return result


def _calibration_errors(calibration: Calibration) -> list[list[str]]:
    weighted, alike = calibration["expected_error"], calibration["expected_error_unweighted"]
    rows = [["calibration error", percent(alike)]]
    if weighted != alike:
        rows.append(["… words by frequency", percent(weighted)])
    return rows


def headline(metrics: LangidMetrics) -> str:
    """The number that matters most."""
    return percent(metrics["test_accuracy"])


def scalars(metrics: LangidMetrics, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The numbers to compare between runs, by seed."""
    return {name: by_seed(value, seeds) for name, value in metrics.items() if name != "parameters"}

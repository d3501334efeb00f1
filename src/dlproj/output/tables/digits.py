"""The result of `train-digits` for people."""

from collections.abc import Sequence

from dlproj.output.tables.base import Table, by_seed
from dlproj.output.text import number, percent
from dlproj.results import DigitsMetrics, DigitsTiming


def tables(metrics: DigitsMetrics, timing: DigitsTiming) -> list[Table]:
    """The result for people."""
    rows = [["test accuracy", percent(metrics["test_accuracy"])]]
    for text, value in (
        ("under pgd, first 2,000", metrics.get("robust_accuracy")),
        ("validation accuracy", metrics.get("validation_accuracy")),
        ("under pgd, validation", metrics.get("validation_robust_accuracy")),
    ):
        if value is not None:
            rows.append([text, percent(value)])
    rows += [
        ["test loss", number(metrics["test_loss"])],
        ["parameters", number(metrics["parameters"], ",.0f")],
        ["training", number(timing["train_seconds"], ".1f") + " s"],
        ["images per second", number(timing["images_per_second"], ",.0f")],
    ]
    result = [Table("Result", ("", ""), rows)]
    if "class_accuracy" in metrics:
        per_class = [
            [name, "no images" if value is None else percent(value)]
            for name, value in metrics["class_accuracy"].items()
        ]
        confusions = [
            [worst["label"], worst["predicted"], str(worst["count"])]
            for worst in metrics["worst_confusions"]
        ]
        result += [
            Table("Accuracy by class", ("class", "accuracy"), per_class),
            Table("Worst confusions", ("true", "taken for", "times"), confusions),
        ]
    return result


def headline(metrics: DigitsMetrics) -> str:
    """The number that matters most."""
    return percent(metrics["test_accuracy"])


def scalars(metrics: DigitsMetrics, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The numbers to compare between runs, by seed."""
    return {name: by_seed(value, seeds) for name, value in metrics.items() if name != "parameters"}

"""Figures of `train-langid`."""

from collections.abc import Sequence
from typing import Any

from dlproj.output.figures.confusion import draw_confusion
from dlproj.output.figures.curves import draw_training_curve
from dlproj.output.figures.style import BLUE, GREY, ORANGE, new_figure, save
from dlproj.results.langid import Calibration
from dlproj.store.runs import RunDir


def draw(run: RunDir, metrics: dict[str, Any], names: Sequence[str]) -> None:
    """All of them."""
    draw_training_curve(run)
    draw_confusion(run, metrics["confusion_matrix"], names)
    draw_accuracy_by_length(run, metrics["per_length"])
    draw_reliability(run, metrics["calibration"])


def draw_accuracy_by_length(run: RunDir, per_length: Sequence[dict[str, Any]]) -> None:
    """Accuracy of test words by their number of letters, with how many there were."""
    figure, axes = new_figure(9, 4.5)
    lengths = [row["length"] for row in per_length]
    bars = axes.bar(lengths, [row["accuracy"] for row in per_length], color=BLUE)
    axes.bar_label(bars, [f"{row['words']:,}" for row in per_length], fontsize=8, padding=2)
    axes.set_xticks(lengths)
    axes.set_ylim(0, 1.08)
    axes.set_xlabel("letters")
    axes.set_ylabel("accuracy")
    axes.set_title("Accuracy by length of the word, above each bar the number of test words")
    axes.grid(visible=False, axis="x")
    save(figure, run, "accuracy_by_length")


def draw_reliability(run: RunDir, calibration: Calibration) -> None:
    """How often words are in the language named, against how sure the network was of it.

    Once with words weighed by their frequency, where that is known, and once with all alike.
    """
    figure, axes = new_figure(6, 5.5)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    alike, weighted = calibration["bins_unweighted"], calibration["bins"]
    kinds = [("all words alike", alike, calibration["expected_error_unweighted"], ORANGE)]
    if weighted != alike:
        kinds.append(("by their frequency", weighted, calibration["expected_error"], BLUE))
    for name, bins, error, color in kinds:
        axes.scatter(
            [row["confidence"] for row in bins],
            [row["share"] for row in bins],
            [30 + 1500 * row["weight"] for row in bins],
            color=color,
            alpha=0.6,
            label=f"{name}: {error:.1%}",
        )
    axes.set_xlim(0, 1.05)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share that is in the language named")
    axes.set_title("Expected calibration error")
    legend = axes.legend(loc="upper left")
    for handle in legend.legend_handles:
        handle.set_sizes([60])  # whatever the size of the first dot
    save(figure, run, "reliability")

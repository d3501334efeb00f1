"""Figures of `train-langid`."""

from collections.abc import Sequence
from typing import Any

from dlproj.output.figures.confusion import draw_confusion
from dlproj.output.figures.curves import draw_training_curve
from dlproj.output.figures.style import BLUE, new_figure, save
from dlproj.store.runs import RunDir


def draw(run: RunDir, metrics: dict[str, Any], names: Sequence[str]) -> None:
    """All of them."""
    draw_training_curve(run)
    draw_confusion(run, metrics["confusion_matrix"], names)
    draw_accuracy_by_length(run, metrics["per_length"])


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

"""Curves over the course of a training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlproj.output.figures.style import BLUE, GREEN, ORANGE, new_figure, save, scale_losses
from dlproj.store.runs import RunDir


def draw_training_curve(run: RunDir, *, log: bool = True) -> None:
    """Loss and accuracy of the batches over the run, with what was validated."""
    records = list(run.records())
    steps = np.array([record["step"] for record in records])
    has_accuracy = "accuracy" in records[0]
    figure, axes = new_figure(
        8, 6 if has_accuracy else 4, nrows=1 + has_accuracy, sharex=True, squeeze=False
    )
    loss_axes = axes[0, 0]
    _draw(loss_axes, steps, [record["loss"] for record in records], BLUE)
    loss_axes.set_ylabel("loss")
    if log:
        scale_losses(loss_axes)
    loss_axes.set_title("Training")
    if has_accuracy:
        accuracy_axes = axes[1, 0]
        _draw(accuracy_axes, steps, [record["accuracy"] for record in records], GREEN)
        validated = [record for record in records if "validation_accuracy" in record]
        if validated:
            accuracy_axes.plot(
                [record["step"] for record in validated],
                [record["validation_accuracy"] for record in validated],
                "o-",
                color=ORANGE,
                label="validation",
            )
        accuracy_axes.set_ylabel("accuracy")
        accuracy_axes.legend(loc="lower right")
    axes[-1, 0].set_xlabel("step")
    save(figure, run, "training_curve")


def _draw(axes: Any, steps: NDArray[Any], values: Sequence[float], color: str) -> None:
    """Single batches, faint, and their running mean over a twentieth of the run."""
    window = max(1, len(values) // 20)
    mean = np.convolve(values, np.ones(window) / window, mode="valid")
    axes.plot(steps, values, color=color, alpha=0.25, linewidth=1, label="each batch")
    axes.plot(steps[window - 1 :], mean, color=color, label=f"mean of {window} batches")
    axes.legend(loc="upper right")

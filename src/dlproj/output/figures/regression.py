"""Figures of `train-regression`."""

import numpy as np
from numpy.typing import NDArray

from dlproj.data.regression import Curve
from dlproj.output.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    label_of,
    new_figure,
    save,
    scale_losses,
)
from dlproj.store.runs import RunDir

POINTS_DRAWN = 64


def draw(run: RunDir, curve: Curve, predicted: NDArray[np.float64]) -> None:
    """All of them. `predicted` are the outputs (points,) at the test points."""
    draw_fit(run, curve, predicted)
    draw_losses(run)


def draw_fit(run: RunDir, curve: Curve, predicted: NDArray[np.float64]) -> None:
    """Data and prediction over x, and the error below them."""
    figure, (above, below) = new_figure(
        9, 6, nrows=2, sharex=True, gridspec_kw={"height_ratios": [2, 1]}
    )
    x, y = curve.test.x[:, 0].numpy(), curve.test.y[:, 0].numpy()
    every = max(1, len(curve.train.x) // POINTS_DRAWN)
    some = f"one in {every} " if every > 1 else ""
    above.plot(
        curve.train.x[::every, 0].numpy(),
        curve.train.y[::every, 0].numpy(),
        "o",
        color=GREY,
        markersize=5,
        alpha=0.6,
        markeredgewidth=0,
        label=some + "training points",
    )
    above.plot(x, y, color=BLUE, linewidth=4, alpha=0.5, label=f"data: {label_of(curve.name)}")
    above.plot(x, predicted, "--", color=RED, label="network")
    above.set_ylabel("y")
    above.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0)
    below.plot(x, predicted - y, color=RED)
    below.axhline(0, color=GREY, linewidth=1)
    below.set_ylabel("error")
    below.set_xlabel("x")
    save(figure, run, "fit")


def draw_losses(run: RunDir) -> None:
    """Training and validation loss after each epoch, both as half the mean squared error."""
    records = list(run.records())
    validated = [record for record in records if "validation_loss" in record]
    epochs = [record["epoch"] for record in validated]
    means = [
        [record["loss"] / 2 for record in records if record["epoch"] == epoch] for epoch in epochs
    ]
    figure, axes = new_figure(8, 4.5)
    axes.plot(epochs, [sum(losses) / len(losses) for losses in means], color=BLUE, label="training")
    axes.plot(
        epochs,
        [record["validation_loss"] for record in validated],
        color=ORANGE,
        label="validation",
    )
    scale_losses(axes)
    axes.set_xlabel("epoch")
    axes.set_ylabel("half the mean squared error")
    axes.set_title("Loss")
    axes.legend()
    save(figure, run, "training_curve")

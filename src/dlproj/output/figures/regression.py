"""Figures of `train-regression`."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from dlproj.data.regression import Curve
from dlproj.output.figures.style import BLUE, GREY, ORANGE, RED, new_figure, save
from dlproj.output.run_dir import RunDir


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
    above.plot(
        curve.train.x[:, 0].numpy(), curve.train.y[:, 0].numpy(), ".",
        color=GREY, markersize=4, alpha=0.3, label="training points",
    )  # fmt: skip
    above.plot(x, y, color=BLUE, linewidth=4, alpha=0.5, label=curve.name)
    above.plot(x, predicted, "--", color=RED, label="network")
    above.set_ylabel("y")
    above.set_title("The curve and what the network makes of it")
    _legend_above(above)
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
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("half the mean squared error")
    axes.set_title("Loss")
    axes.legend()
    save(figure, run, "training_curve")


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0)

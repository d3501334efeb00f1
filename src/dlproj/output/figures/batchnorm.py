"""Figures of `ablate-batchnorm`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlproj.output.figures.style import BLUE, RED, new_figure, save
from dlproj.output.run_dir import RunDir

LOOKS = {"with": (BLUE, "o", -1), "without": (RED, "s", 1)}


def draw(run: RunDir, cells: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]) -> None:
    """All of them, from the compared cells and the single runs."""
    draw_accuracy(run, cells)
    draw_losses(run, [cell["lr"] for cell in cells], runs)


def draw_accuracy(run: RunDir, cells: Sequence[dict[str, Any]]) -> None:
    """Accuracy against learning rate for both arms: every run, and their mean.

    The error is drawn on a logarithmic axis, for near the top is where the arms differ least.
    """
    figure, axes = new_figure(9, 5)
    for arm, (color, marker, side) in LOOKS.items():
        places = [index + 0.08 * side for index in range(len(cells))]
        errors = [[max(1 - value, 1e-4) for value in cell[arm]["values"]] for cell in cells]
        for place, values in zip(places, errors, strict=True):
            axes.plot(
                [place] * len(values), values, marker, color=color, alpha=0.45, markersize=7,
                markeredgewidth=0,
            )  # fmt: skip
        axes.plot(
            places, [np.mean(values) for values in errors], f"{marker}-", color=color,
            markersize=10, markerfacecolor="white", markeredgewidth=2, label=f"{arm} BatchNorm",
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_yticks(ticks := [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9],
                    [f"{1 - tick:.1%}" for tick in ticks])  # fmt: skip
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.set_xticks(range(len(cells)), [f"{cell['lr']:g}" for cell in cells])
    axes.set_xlabel("learning rate")
    axes.set_ylabel("test accuracy")
    axes.set_title("Accuracy with and without BatchNorm: each run, and the mean of its error")
    axes.legend(loc="lower left")
    save(figure, run, "accuracy_by_rate")


def draw_losses(run: RunDir, rates: Sequence[float], runs: Sequence[dict[str, Any]]) -> None:
    """Training loss of every run, a panel for each rate; a loss beyond 10 leaves the picture."""
    figure, panels = new_figure(
        3.6 * len(rates) + 0.8, 4, ncols=len(rates), sharey=True, squeeze=False
    )
    for rate, axes in zip(rates, panels[0], strict=True):
        for single in runs:
            if single["lr"] == rate and single["losses"]:
                color = LOOKS[single["arm"]][0]
                steps = np.linspace(0, single["steps"], len(single["losses"]))
                label = f"{single['arm']} BatchNorm" if single["seed"] == runs[0]["seed"] else None
                axes.plot(steps, single["losses"], color=color, alpha=0.6, linewidth=1.2,
                          label=label)  # fmt: skip
        axes.set_yscale("log")
        axes.set_ylim(top=10)
        axes.set_title(f"rate {rate:g}")
        axes.set_xlabel("step")
    panels[0, 0].set_ylabel("training loss")
    panels[0, 0].legend(loc="lower left")
    save(figure, run, "loss_curves")

"""Figures of `ablate-batchnorm`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlproj.output.figures.style import BLUE, GREEN, GREY, ORANGE, RED, new_figure, save
from dlproj.store.runs import RunDir

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
                [place] * len(values),
                values,
                marker,
                color=color,
                alpha=0.45,
                markersize=7,
                markeredgewidth=0,
            )
        axes.plot(
            places,
            [np.mean(values) for values in errors],
            f"{marker}-",
            color=color,
            markersize=10,
            markerfacecolor="white",
            markeredgewidth=2,
            label=f"{arm} BatchNorm",
        )
    axes.set_yscale("log")
    axes.set_yticks(
        ticks := [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9],
        [f"{1 - tick:.1%}" for tick in ticks],
    )
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
                axes.plot(
                    steps, single["losses"], color=color, alpha=0.6, linewidth=1.2, label=label
                )
        axes.set_yscale("log")
        axes.set_ylim(top=10)
        axes.set_title(f"rate {rate:g}")
        axes.set_xlabel("step")
    panels[0, 0].set_ylabel("training loss")
    panels[0, 0].legend(loc="lower left")
    save(figure, run, "loss_curves")


ARM_LOOKS = {
    "with": (BLUE, "o", "with"),
    "without": (RED, "s", "without"),
    "noisy": (GREEN, "^", "with, then noise"),
}


def draw_diagnosis(run: RunDir, diagnosis: dict[str, Any]) -> None:
    """The figures of `--diagnose`, of its first seed."""
    draw_layers(run, diagnosis)
    draw_landscape(run, diagnosis)
    draw_rates(run, diagnosis["rates"])


def draw_layers(run: RunDir, diagnosis: dict[str, Any]) -> None:
    """Drift, dead units and gradient norms: a row each, a column for each layer."""
    rows = {
        "mean_drift": "drift of means\n(deviations)",
        "scale_drift": "drift of scales\n(log units)",
        "dead": "dead units",
        "gradient_norm": "gradient norm",
    }
    layers = ["conv1", "conv2", "conv3", "hidden"]
    figure, panels = new_figure(
        12, 9, nrows=len(rows), ncols=len(layers), sharex=True, sharey="row"
    )
    for what, line in zip(rows, panels, strict=True):
        for layer, axes in zip(layers, line, strict=True):
            for name, arm in diagnosis["arms"].items():
                color, marker, label = ARM_LOOKS[name]
                values = arm["layers"][layer][what]
                axes.plot(
                    arm["steps"][-len(values) :],
                    values,
                    f"{marker}-",
                    color=color,
                    markersize=4,
                    linewidth=1.4,
                    label=label,
                )
        line[0].set_ylabel(rows[what])
        line[0].set_yscale("linear" if what == "dead" else "log")
    for layer, axes in zip(layers, panels[0], strict=True):
        axes.set_title(layer)
    for axes in panels[-1]:
        axes.set_xlabel("step")
    panels[0, -1].legend(loc="upper right", fontsize=9)
    panels[2, 0].set_ylim(bottom=0)
    figure.suptitle(
        f"What ReLUs are given, and gradients, over a training at rate {diagnosis['lr']:g}",
        weight="bold",
        x=0.02,
        ha="left",
    )
    save(figure, run, "layers")


def draw_landscape(run: RunDir, diagnosis: dict[str, Any]) -> None:
    """Range of the loss, and change of the gradient, along the gradient."""
    figure, (left, right) = new_figure(11, 4.5, ncols=2)
    for name, arm in diagnosis["arms"].items():
        color, marker, label = ARM_LOOKS[name]
        seen = arm["landscape"]
        left.fill_between(
            arm["steps"],
            seen["loss_low"],
            seen["loss_high"],
            color=color,
            alpha=0.35,
            linewidth=1,
            label=label,
        )
        right.plot(arm["steps"], seen["smoothness"], f"{marker}-", color=color, label=label)
    left.set_yscale("log")
    left.set_title("Loss over steps along the gradient")
    left.set_ylabel("loss, lowest to highest")
    right.set_yscale("log")
    right.set_title("Change of the gradient by the step's length")
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.legend(loc="upper right", fontsize=9)
    save(figure, run, "landscape")


def draw_rates(run: RunDir, rates: dict[str, Any]) -> None:
    """What short trainings reach at rates far apart, and the units that they leave dead."""
    figure, (left, right) = new_figure(11, 4.5, ncols=2)
    for name, (color, marker, label) in ARM_LOOKS.items():
        left.plot(rates["lr"], rates[name]["accuracy"], f"{marker}-", color=color, label=label)
        right.plot(rates["lr"], rates[name]["dead"], f"{marker}-", color=color, label=label)
    left.axhline(0.1, color=GREY, linestyle=":", label="guessing")
    left.axhline(rates["trains_from"], color=ORANGE, linestyle="--", label="counts as trained")
    left.set_title("Accuracy after a short training")
    right.set_title("Share of dead units")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("learning rate")
    left.legend(loc="lower left", fontsize=9)
    save(figure, run, "rates")

"""Confusion matrices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LogNorm

from dlproj.output.figures.style import labels_of, new_figure, save
from dlproj.store.runs import RunDir


def draw_confusion(run: RunDir, matrix: Sequence[Sequence[int]], names: Sequence[str]) -> None:
    """A (true, predicted) matrix of counts; shades are logarithmic so that mistakes show."""
    size = 3 + 0.5 * len(names)
    figure, axes = new_figure(size, size)
    counts = np.array(matrix)
    norm = LogNorm(0.5, max(counts.max(), 1))
    shades = norm(counts.clip(0.5))
    axes.grid(visible=False)
    axes.pcolormesh(shades, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*counts.nonzero(), strict=True):
        text = axes.text(
            column + 0.5,
            row + 0.5,
            counts[row, column],
            ha="center",
            va="center",
            color="white" if shades[row, column] > 0.6 else "black",
            fontsize=10,
        )
        text.set_in_layout(False)  # which need not look at it: it lies within the axes
    axes.set_aspect("equal")
    axes.invert_yaxis()
    turn, labels = 45 if max(map(len, names)) > 3 else 0, labels_of(names)
    ends = "right" if turn else "center"
    places = np.arange(len(names)) + 0.5
    axes.set_xticks(places, labels, rotation=turn, ha=ends, rotation_mode="anchor")
    axes.set_yticks(places, labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Confusion matrix")
    axes.spines[:].set_visible(False)
    save(figure, run, "confusion_matrix")

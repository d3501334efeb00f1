"""Confusion matrices."""

from collections.abc import Sequence

from matplotlib.colors import LogNorm

from dlproj.output.figures.style import new_figure, save
from dlproj.store.runs import RunDir


def draw_confusion(run: RunDir, matrix: Sequence[Sequence[int]], names: Sequence[str]) -> None:
    """A (true, predicted) matrix of counts; shades are logarithmic so that mistakes show."""
    size = 3 + 0.5 * len(names)
    figure, axes = new_figure(size, size)
    highest = max(max(row) for row in matrix)
    image = axes.imshow(
        [[max(count, 0.5) for count in row] for row in matrix],
        cmap="Blues",
        norm=LogNorm(0.5, max(highest, 1)),
    )
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            if count:
                shade = "white" if image.norm(count) > 0.6 else "black"
                axes.text(column, row, count, ha="center", va="center", color=shade, fontsize=10)
    turn = 45 if max(map(len, names)) > 3 else 0
    axes.set_xticks(range(len(names)), names, rotation=turn)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Confusion matrix")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    save(figure, run, "confusion_matrix")

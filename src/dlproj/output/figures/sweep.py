"""The figure of `sweep`."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from dlproj.output.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    new_figure,
    save,
)
from dlproj.store.runs import RunDir

LOOKS = list(zip((BLUE, RED, GREEN, ORANGE, PURPLE, GREY), "os^Dv*", strict=True))
ACCURACIES = (0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)  # ticks
APART = 0.012  # of the width, between two lines
WIDE = 4  # a range of so large a factor gets a logarithmic axis

Cell = dict[str, Any]


def draw(run: RunDir, metrics: dict[str, Any]) -> None:
    """Score against the first setting that is a number; a line for each value of the others."""
    cells: list[Cell] = metrics["cells"]
    if not cells[0]["settings"]:
        return
    name = horizontal(cells[0]["settings"])
    values = sorted({cell["settings"][name] for cell in cells}, key=sort_key)
    numbers = all(is_number(value) for value in values)
    places = {value: value if numbers else place for place, value in enumerate(values)}
    lines: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: places[cell["settings"][name]]):
        lines.setdefault(others(cell, name), []).append(cell)

    figure, axes = new_figure(9, 5)
    low, high = min(places.values()), max(places.values())
    wide = numbers and low > 0 and (name == "lr" or high >= WIDE * low)
    axes.set_xscale("log" if wide else "linear")
    for index, (label, own) in enumerate(lines.items()):
        aside = APART * (index - (len(lines) - 1) / 2)  # so that lines do not hide each other
        xs = [places[cell["settings"][name]] for cell in own]
        xs = [x * (high / low) ** aside if wide else x + (high - low) * aside for x in xs]
        draw_line(axes, own, xs, LOOKS[index % len(LOOKS)], label)
    if any(cell["diverged"] for cell in cells):
        axes.plot([], [], "x", color=GREY, markersize=9, markeredgewidth=2, label="diverged")
    scale_scores(axes, metrics["score"], cells)
    axes.set_xticks([*places.values()], [str(value) for value in values])
    axes.minorticks_off()
    axes.set_xlabel(words(name))
    axes.set_title(f"{metrics['experiment']}: each training, and means over seeds")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    save(figure, run, "sweep")


def horizontal(settings: dict[str, Any]) -> str:
    """The setting that is drawn from left to right."""
    numbers = (name for name, value in settings.items() if is_number(value))
    return next(numbers, next(iter(settings)))


def is_number(value: Any) -> bool:
    """Whether it has a place on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def sort_key(value: Any) -> tuple[bool, Any]:
    """Numbers by size, anything else by its text."""
    return (False, value) if is_number(value) else (True, str(value))


def others(cell: Cell, name: str) -> str:
    """The settings of a cell apart from the one that is drawn from left to right."""
    return ", ".join(
        f"{words(other)} {value}" for other, value in cell["settings"].items() if other != name
    )


def draw_line(
    axes: Axes, cells: list[Cell], xs: list[float], look: tuple[str, str], label: str
) -> None:
    """The trainings of the cells, faint, and their means; crosses below where one diverged."""
    color, marker = look
    kept = [(x, cell["score"]) for x, cell in zip(xs, cells, strict=True) if cell["score"]]
    for x, score in kept:
        axes.plot(
            [x] * len(score["values"]),
            score["values"],
            marker,
            color=color,
            alpha=0.45,
            markersize=6,
            markeredgewidth=0,
        )
    axes.plot(
        [x for x, _ in kept],
        [score["mean"] for _, score in kept],
        f"{marker}-",
        color=color,
        markersize=9,
        markerfacecolor="none",
        markeredgewidth=2,
        linewidth=1.5,
        label=label or None,
    )
    fallen = [x for x, cell in zip(xs, cells, strict=True) if cell["diverged"]]
    axes.plot(
        fallen,
        [0.03] * len(fallen),
        "x",
        color=color,
        markersize=9,
        markeredgewidth=2,
        transform=axes.get_xaxis_transform(),
    )


def scale_scores(axes: Axes, score: str, cells: list[Cell]) -> None:
    """Losses on a logarithmic axis; accuracies on one that widens near 1, where they are apart."""
    axes.set_ylabel(words(score))
    values = [value for cell in cells if cell["score"] for value in cell["score"]["values"]]
    if score.endswith("loss"):
        axes.set_yscale("log")
        return
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1%}"))
    if values and 1 - min(values) > WIDE * (1 - max(values)) > 0:
        axes.set_yscale("logit")
        low, high = axes.get_ylim()
        ticks = [tick for tick in ACCURACIES if low < tick < high]
        axes.set_yticks(ticks, [f"{tick:.1%}" for tick in ticks])


def words(name: str) -> str:
    """A setting or score for people."""
    return {"lr": "learning rate"}.get(name, name.replace("_", " "))

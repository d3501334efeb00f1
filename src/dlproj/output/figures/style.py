"""The look that all figures share."""

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlproj.store.runs import RunDir
from dlproj.visible import visible

# Okabe & Ito (2008): told apart with any colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#777777",
)

LONGEST = 24  # letters of a label
RC: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
    "lines.linewidth": 2,
}


def new_figure(width: float, height: float, **grid: Any) -> tuple[Figure, Any]:
    """A figure of so many inches, and its axes: one, or an array as `grid` asks."""
    mpl.rcParams.update(RC)  # type: ignore[arg-type]
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(**grid)


def label_of(name: str) -> str:
    """A name from a file as text in a figure: no formula, not too long, with nothing hidden."""
    shown = visible(name)
    shown = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return shown.replace("$", r"\$")


def labels_of(names: Sequence[str]) -> list[str]:
    """The same of several names."""
    return [label_of(name) for name in names]


def picture_axes(axes: Axes) -> None:
    """Axes that only hold a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def save(figure: Figure, run: RunDir, name: str) -> None:
    """Write a figure to the run as `name`.png."""
    run.write(f"{name}.png", as_png(figure, dpi=150))


def as_png(figure: Figure, *, dpi: int) -> bytes:
    """The figure as a picture."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), _quiet_fonts():
        warnings.filterwarnings("ignore", "Glyph")  # `fonts.find_fonts` says so in plain words
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


@contextmanager
def _quiet_fonts() -> Iterator[None]:
    """Fonts for other scripts come in a single weight, which is no news to anyone."""
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)

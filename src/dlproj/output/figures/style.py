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
from matplotlib.ticker import LogFormatter

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
DPI = 150  # pixels of an inch
QUICKLY = {"compress_level": 3}  # two thirds of the time that the usual 6 takes
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


def empty_figure(width: float, height: float, title: str = "") -> Figure:
    """A figure of so many inches, without axes."""
    mpl.rcParams.update(RC)  # type: ignore[arg-type]
    figure = Figure(figsize=(width, height), dpi=DPI)
    if title:
        figure.suptitle(title, weight="bold", x=0.02, ha="left")
    return figure


def new_figure(width: float, height: float, **grid: Any) -> tuple[Figure, Any]:
    """A figure of so many inches, and its axes: one, or an array as `grid` asks."""
    figure = empty_figure(width, height)
    figure.set_layout_engine("constrained")
    return figure, figure.subplots(**grid)


def lay_out(figure: Figure) -> None:
    """Give each axes its final place. Where matplotlib does so as it saves, it draws all twice."""
    engine = figure.get_layout_engine()
    if engine:
        with _quiet_fonts():
            engine.execute(figure)
        figure.set_layout_engine(None)


def label_of(name: str) -> str:
    """A name from a file as text in a figure: no formula, not too long, with nothing hidden."""
    shown = visible(name)
    shown = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return shown.replace("$", r"\$")


def labels_of(names: Sequence[str]) -> list[str]:
    """The same of several names."""
    return [label_of(name) for name in names]


class PlainNumbers(LogFormatter):
    """Numbers at a logarithmic axis without powers of ten, which are formulas and slow to set."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """A number, or "" where there would be too many."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def scale_losses(axes: Axes) -> None:
    """Make the vertical axis logarithmic."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(PlainNumbers())
    axes.yaxis.set_minor_formatter(PlainNumbers())


def picture_axes(axes: Axes) -> None:
    """Axes that only hold a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def save(figure: Figure, run: RunDir, name: str) -> None:
    """Write a figure to the run as `name`.png."""
    run.write(f"{name}.png", as_png(figure, dpi=DPI))


def as_png(figure: Figure, *, dpi: int) -> bytes:
    """The figure as a picture."""
    figure.dpi = dpi
    lay_out(figure)
    buffer = io.BytesIO()
    with _quiet_fonts():
        figure.savefig(buffer, format="png", dpi=dpi, pil_kwargs=QUICKLY)
    return buffer.getvalue()


@contextmanager
def _quiet_fonts() -> Iterator[None]:
    """No word of letters without a font, of which `fonts.find_fonts` tells in plain words.

    Nor of fonts for other scripts, which come in a single weight.
    """
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")
            yield
    finally:
        log.setLevel(level)

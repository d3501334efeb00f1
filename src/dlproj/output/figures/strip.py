"""The figure of `predict-digit`."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dlproj.output.figures.style import ORANGE, as_png, label_of, new_figure, picture_axes

ACROSS = 4
SHOWN = 100  # pictures; of more, the figure would be too large to look at


@dataclass(frozen=True)
class Panel:
    """A picture and what was read on it.

    Args:
        picture: as people see it.
        boxes: left, top, right and bottom of each digit, in its pixels.
        images: each digit as the network saw it, bytes (28, 28).
        read: label and confidence of each.
    """

    picture: Image.Image
    boxes: Sequence[Sequence[float]]
    images: Sequence[NDArray[np.uint8]]
    read: Sequence[tuple[str, float]]


def draw_strip(panels: Sequence[Panel], *, kind: str, mark: str) -> bytes:
    """The pictures with their digits marked, each beside what the network saw.

    Args:
        panels: what was read; the first 100 are drawn.
        kind: of file, in Pillow's words: PNG or JPEG.
        mark: text in the file, by which it is known again.
    """
    panels = panels[:SHOWN]
    columns = min(len(panels), ACROSS)
    rows = -(-len(panels) // ACROSS)
    figure, places = new_figure(
        3.2 * columns + 0.2, 2.1 * rows, nrows=rows, ncols=2 * columns, squeeze=False
    )
    for place in places.flat:
        picture_axes(place)
        place.axis("off")
    for left, right, panel in zip(places.flat[::2], places.flat[1::2], panels, strict=False):
        _draw(left, right, panel)
    return _saved(Image.open(io.BytesIO(as_png(figure, dpi=120))), kind, mark)


def _draw(left: Axes, right: Axes, panel: Panel) -> None:
    left.imshow(panel.picture, cmap="gray", vmin=0, vmax=255)
    for x, y, x_end, y_end in panel.boxes:
        box = Rectangle((x, y), x_end - x, y_end - y, fill=False, edgecolor=ORANGE, linewidth=1.5)
        left.add_patch(box)
    right.imshow(np.concatenate(panel.images, axis=1), cmap="gray", vmin=0, vmax=255)
    labels = " ".join(label_of(label) for label, _ in panel.read)
    least = min(confidence for _, confidence in panel.read)
    right.set_title(f"{labels}  {least:.0%}", loc="center")


def _saved(picture: Image.Image, kind: str, mark: str) -> bytes:
    buffer = io.BytesIO()
    text = PngInfo()
    text.add_text("Software", mark)
    options: dict[str, Any] = {"pnginfo": text} if kind == "PNG" else {"comment": mark}
    picture.convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()

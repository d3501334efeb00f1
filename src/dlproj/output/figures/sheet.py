"""Figures of many pictures, pasted pixel by pixel: axes for each would take half a second."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import IdentityTransform
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (height, width, 4): red, green, blue and opacity


class Sheet(Artist):
    """Pictures and texts at pixels of a figure, counted from its left and its top.

    The pictures lie above axes, the texts above pictures. The figure may not be laid out again.
    """

    zorder = 1

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self._pasted: list[tuple[Pixels, float, float]] = []
        self._page = figure
        figure.add_artist(self)

    def paste(self, picture: Pixels, x: float, y: float) -> None:
        """Put a picture with its centre there."""
        self._pasted.append((picture, x, y))

    def write(self, text: str, x: float, y: float, **looks: Any) -> None:
        """Put a text there."""
        height = self._page.bbox.height
        self._page.text(x, height - y, text, transform=IdentityTransform(), **looks)

    def draw(self, renderer: Any) -> None:
        """Called as the figure is drawn."""
        settings = renderer.new_gc()
        for picture, x, y in self._pasted:
            height, width = picture.shape[:2]
            left, bottom = round(x - width / 2), round(self._page.bbox.height - y - height / 2)
            renderer.draw_image(settings, left, bottom, picture[::-1])


def on_paper(picture: ArrayLike) -> Pixels:
    """Bytes of ink (height, width), which is light in the data, as they look on paper."""
    shade = 255 - np.asarray(picture, np.uint8)
    return np.stack([shade, shade, shade, np.full_like(shade, 255)], axis=-1)


def signed(picture: ArrayLike, colors: str) -> Pixels:
    """Numbers (height, width) in the colours of a map, whose middle is for 0."""
    values = np.asarray(picture, np.float64)
    reach = np.abs(values).max() or 1.0
    shown: Pixels = mpl.colormaps[colors](0.5 + values / reach / 2, bytes=True)
    return shown


def in_squares(picture: Pixels, side: int) -> Pixels:
    """A picture with squares for its pixels."""
    return picture.repeat(side, axis=0).repeat(side, axis=1)


def framed(picture: Pixels, color: str) -> Pixels:
    """A picture at twice its size, in a frame."""
    height, width = picture.shape[:2]
    larger = Image.fromarray(picture).resize((2 * width, 2 * height), Image.Resampling.BILINEAR)
    frame = Image.new("RGBA", (2 * width + 12, 2 * height + 12), color)
    frame.paste("white", (4, 4, 2 * width + 8, 2 * height + 8))
    frame.paste(larger, (6, 6))
    return np.asarray(frame)

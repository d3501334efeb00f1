"""The figure of `predict-digit`."""

import io
from collections.abc import Sequence

from torch import Tensor

from dlproj.output.figures.style import new_figure, picture_axes

ACROSS = 8


def draw_strip(pictures: Tensor, captions: Sequence[str]) -> bytes:
    """A PNG of the pictures (n, 28, 28) as the network saw them, each below its caption."""
    rows = -(-len(captions) // ACROSS)
    columns = min(len(captions), ACROSS)
    figure, places = new_figure(
        1.5 * columns + 0.2, 1.9 * rows, nrows=rows, ncols=columns, squeeze=False
    )
    for place in places.flat:
        picture_axes(place)
    for place, picture, caption in zip(places.flat, pictures.numpy(), captions, strict=False):
        place.imshow(picture, cmap="gray", vmin=0, vmax=255)
        place.set_title(caption, loc="center")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()

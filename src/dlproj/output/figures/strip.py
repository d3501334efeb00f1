"""The figure of `predict-digit`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from dlproj.output.figures.style import as_png, label_of, new_figure, picture_axes

if TYPE_CHECKING:
    from dlproj.experiments.predict import Prediction

ACROSS = 8


def draw_strip(pictures: Tensor, predictions: Sequence["Prediction"]) -> bytes:
    """A PNG of the pictures (n, 28, 28) as the network saw them, with what it read."""
    rows = -(-len(predictions) // ACROSS)
    columns = min(len(predictions), ACROSS)
    figure, places = new_figure(
        1.5 * columns + 0.2, 1.9 * rows, nrows=rows, ncols=columns, squeeze=False
    )
    for place in places.flat:
        picture_axes(place)
    for place, picture, prediction in zip(places.flat, pictures.numpy(), predictions, strict=False):
        place.imshow(picture, cmap="gray", vmin=0, vmax=255)
        place.set_title(f"{label_of(prediction.label)}  {prediction.confidence:.0%}", loc="center")
    return as_png(figure, dpi=120)

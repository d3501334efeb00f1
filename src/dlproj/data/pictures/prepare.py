"""A digit's ink made to look like MNIST's.

MNIST's digits are white ink on black, scaled to fit 20x20 pixels and placed with their centre of
mass in the middle of 28x28 (LeCun et al. 1998, section III.A).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from dlproj.data.image_data import SIDE

Array = NDArray[np.float32]

INK_BOX = 20  # the longer side of a digit
PAPER = 0.1  # of the darkest ink; fainter is paper
STROKE = 0.35  # of the darkest ink; fainter does not stretch the box around the digit
THINNEST = 0.09  # width of a stroke, of the digit's longer side; a thinner pen is made so


def mnist_image(ink: Array) -> NDArray[np.uint8]:
    """Ink (height, width) in [0, 1], 1 where it is strongest, as bytes (28, 28)."""
    ink = np.clip((ink - PAPER) / (1 - PAPER), 0, 1)
    rows, columns = np.nonzero(ink > STROKE)
    box = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return _centre(_scale(_thickened(box)))


def _thickened(ink: Array) -> Array:
    """With strokes that are as wide as MNIST's thinnest, so that they do not fade when scaled."""
    wanted = THINNEST * max(ink.shape)
    distance = ndimage.distance_transform_edt(np.pad(ink > STROKE, 1))
    ridge = distance[distance == ndimage.maximum_filter(distance, 3)]
    width = 2 * float(np.median(ridge[ridge > 0])) - 1
    missing = round((wanted - width) / 2)
    if missing <= 0:
        return ink
    reach = np.arange(-missing, missing + 1)
    disc = np.hypot(reach[:, None], reach) <= missing + 0.5
    grown: Array = ndimage.grey_dilation(np.pad(ink, missing), footprint=disc)
    return grown


def _scale(ink: Array) -> Array:
    """Scaled so that the longer side is 20 pixels."""
    height, width = ink.shape
    ratio = INK_BOX / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    way = Image.Resampling.BOX if ratio < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, way)).clip(0, 1)


def _centre(ink: Array) -> NDArray[np.uint8]:
    """Placed with its centre of mass in the middle of 28x28, as far as it fits."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (_start(ink.sum(1 - axis)) for axis in (0, 1))
    strength = 255 / float(ink.max())
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = np.round(ink * strength)
    return image


def _start(mass: Array) -> int:
    """Where along one side the ink must begin for its centre of mass to be at pixel 14.

    That is where it is, on average and to a hundredth of a pixel, in MNIST's own images.
    """
    centre = float((mass * np.arange(len(mass))).sum() / mass.sum())
    return int(np.clip(round(SIDE / 2 - centre), 0, SIDE - len(mass)))

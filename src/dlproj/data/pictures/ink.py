"""Where a picture has ink, whatever the paper and the light.

Ink is what is darker than the paper around it. The paper under a stroke is as bright as a closing
makes it, which fills all that is dark and narrow and leaves the edges of shadows where they are
(the black top-hat transform; Serra 1982). Only the ratio to the paper counts, so that shadows do
not. The same on a board, the other way round.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]

FAINTEST = 0.04  # of the paper's brightness; fainter is none
DEVIATIONS = 4.5  # of the noise; ink is beyond
BLACK = 0.04  # no ratio is taken to less brightness than this
SPECKLED_SIDE = 200  # from here on, a stroke is wider than a speck


def smooth(grey: Array) -> Array:
    """Brightness (height, width) without noise, dust and the dots of a black and white scan."""
    if min(grey.shape) >= SPECKLED_SIDE:
        grey = ndimage.median_filter(grey, 3)
    quiet: Array = ndimage.gaussian_filter(grey, min(grey.shape) / 500)
    return quiet


def ink_of(grey: Array, *, widest: float, light: bool = False) -> tuple[Array, float]:
    """How much darker than its paper each pixel is (or lighter than its board), in [0, 1].

    Args:
        grey: smooth brightness (height, width) in [0, 1].
        widest: of the picture's shorter side; what is wider than that is no stroke.
        light: look for light ink.

    Returns:
        the ink, and the least of it that is no noise.
    """
    side = max(3, int(widest * min(grey.shape)))
    ground = (ndimage.grey_opening if light else ndimage.grey_closing)(grey, size=side)
    ink = 1 - _ratio(ground, grey) if light else 1 - _ratio(grey, ground)
    middle = float(np.median(ink))
    deviation = 1.4826 * float(np.median(abs(ink - middle)))
    least = max(FAINTEST, DEVIATIONS * deviation)
    return np.clip(ink - middle, 0, 1), least


def rise_of(grey: Array, *, light: bool = False) -> Array:
    """How much brighter each pixel is than the darkest near it (or darker, of light ink), as ink.

    Args:
        grey: smooth brightness (height, width) in [0, 1].
        light: look for light ink.
    """
    side = 2 * (3 * edge_width(grey.shape) + 2) + 1
    if light:
        return 1 - _ratio(grey, ndimage.maximum_filter(grey, side))
    return 1 - _ratio(ndimage.minimum_filter(grey, side), grey)


def edge_width(shape: tuple[int, ...]) -> int:
    """Over how many pixels a picture of this height and width goes from ink to paper."""
    return round(min(shape) / 150) + 1


def _ratio(dark: Array, bright: Array) -> Array:
    ratio: Array = (dark + BLACK) / (bright + BLACK)
    return ratio

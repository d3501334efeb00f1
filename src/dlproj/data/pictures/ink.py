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


def contrast_of(grey: Array) -> Array:
    """How much brightness changes around each pixel, as a share of the paper's, in [0, 1]."""
    reach = 2 * round(min(grey.shape) / 150) + 3
    least, most = (f(grey, reach) for f in (ndimage.minimum_filter, ndimage.maximum_filter))
    return 1 - _ratio(least, most)


def _ratio(dark: Array, bright: Array) -> Array:
    ratio: Array = (dark + BLACK) / (bright + BLACK)
    return ratio

"""Where a picture has ink, whatever the paper and the light.

Ink is what is darker than the paper around it. The paper under a stroke is as bright as a closing
makes it, which fills all that is dark and narrow and leaves the edges of shadows where they are
(the black top-hat transform; Serra 1982). Only the ratio to the paper counts, so that shadows do
not. Light ink is dark in the negative.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]

FAINTEST = 0.04  # of the paper's brightness; fainter is none
DEVIATIONS = 4.5  # of the noise; ink is beyond
FAINT = 0.15  # the same where nothing but even paper is looked for
BRIGHT = 95  # per cent of the pixels are darker than even paper
BLACK = 0.04  # no ratio is taken to less brightness than this
SPECKLED_SIDE = 200  # from here on, a stroke is wider than a speck


def smooth(grey: Array) -> Array:
    """Brightness (height, width) without noise, dust and the dots of a black and white scan."""
    if min(grey.shape) >= SPECKLED_SIDE:
        grey = ndimage.median_filter(grey, 3)
    quiet: Array = ndimage.gaussian_filter(grey, min(grey.shape) / 500)
    return quiet


def ink_of(grey: Array, widest: float) -> Array:
    """How much darker than its paper each pixel is, in [0, 1]; 0 where that may be noise.

    Args:
        grey: smooth brightness (height, width) in [0, 1].
        widest: of the picture's shorter side; what is wider than that is no stroke.
    """
    side = max(3, int(widest * min(grey.shape)))
    paper = _paper(grey, side)
    darker = paper - grey
    darker -= np.median(darker)
    noise = DEVIATIONS * 1.4826 * np.median(abs(darker))
    ink = np.clip(darker, 0, None) / (paper + BLACK)
    ink[(darker < noise) | (ink < FAINTEST)] = 0
    return ink


def _paper(grey: Array, side: int) -> Array:
    """How bright the paper is under strokes narrower than a square of this side.

    Beyond the edges it is dark. If it were as bright as within, paper that gets darker towards an
    edge would count as ink on brighter paper.
    """
    within = np.s_[side:-side, side:-side]
    paper: Array = ndimage.grey_closing(np.pad(grey, side), size=side)[within]
    return paper


def ink_on_even_paper(grey: Array) -> Array:
    """The same where the paper is as bright everywhere, so that ink may be of any width."""
    ink = 1 - _ratio(grey, np.percentile(grey, BRIGHT))
    ink[ink < FAINT] = 0
    return ink


def rise_of(grey: Array) -> Array:
    """How much brighter each pixel is than the darkest near it, measured as ink is."""
    side = 2 * (3 * edge_width(grey.shape) + 2) + 1
    return 1 - _ratio(ndimage.minimum_filter(grey, side), grey)


def edge_width(shape: tuple[int, ...]) -> int:
    """Over how many pixels a picture of this height and width goes from ink to paper."""
    return round(min(shape) / 150) + 1


def _ratio(dark: Array, bright: Array | np.floating[Any]) -> Array:
    ratio: Array = ((dark + BLACK) / (bright + BLACK)).astype(np.float32)
    return ratio

"""Straight lines across a picture: ruled and squared paper, margins, frames."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

SLOPES = np.linspace(-0.14, 0.14, 57)  # 8° to both sides; a line of 800 pixels moves 4 from one on
THICKEST = 0.012  # of the picture's shorter side
SHARE = 0.5  # of the picture that a line crosses, at least


def rulings(mask: Mask) -> Mask:
    """The pixels of long straight lines, but for those where a stroke crosses them.

    Args:
        mask: (height, width), where anything is drawn.
    """
    thick = max(3, round(THICKEST * min(mask.shape)))
    thin = mask & ~ndimage.binary_opening(mask, np.ones((thick + 1, thick + 1)))
    lying = _band(thin, thick)
    standing = _band(thin.T, thick).T
    if not lying.any() and not standing.any():
        return lying
    reach = thick + 3
    crossed = ndimage.binary_opening(mask, np.ones((reach, 1)))
    passed = ndimage.binary_opening(mask, np.ones((1, reach)))
    square = ndimage.binary_opening(mask, np.ones((reach, reach)))
    return (lying & ~crossed) | (standing & ~passed) | (lying & standing & ~square)


def _band(thin: Mask, thick: int) -> Mask:
    """What is on or beside lines that lie, found by a Hough transform over their small slopes."""
    height, width = thin.shape
    rows, columns = np.nonzero(thin)
    band = np.zeros_like(thin)
    if len(rows) < SHARE * width:
        return band
    margin = int(abs(SLOPES).max() * width) + 1
    counts = np.stack(
        [
            np.bincount(
                np.round(rows - slope * (columns - width / 2)).astype(int) + margin,
                minlength=height + 2 * margin,
            )
            for slope in SLOPES
        ]
    )
    counts = np.minimum(counts, width)
    across = np.arange(width)
    while counts.max() >= SHARE * width:
        slope, start = np.unravel_index(counts.argmax(), counts.shape)
        line = np.round(start - margin + SLOPES[slope] * (across - width / 2)).astype(int)
        for offset in range(-thick // 2, thick // 2 + 1):
            row = line + offset
            inside = (row >= 0) & (row < height)
            band[row[inside], across[inside]] = True
        counts[:, max(0, start - thick) : start + thick + 1] = 0
    return band

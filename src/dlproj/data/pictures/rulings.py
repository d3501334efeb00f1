"""Straight lines across a picture: ruled and squared paper, margins, frames."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

SLOPES = np.linspace(-0.14, 0.14, 57)  # 8° to both sides; a line of 800 pixels moves 4 from one on
SAME_SLOPE = 0.011
THICKEST = 0.018  # of the picture's shorter side
LONG = 0.75  # of the picture: what is as long as that is no stroke
SEVERAL = 0.5  # of the picture: two lines as long as that are none
PARALLEL = 0.3  # of the picture: nor is what is as long as that, and runs like those


def rulings(mask: Mask) -> Mask:
    """The pixels of long straight lines, but for those where a stroke crosses them.

    Args:
        mask: (height, width), where anything is drawn.
    """
    if not mask.any():
        return mask
    thick = max(3, round(THICKEST * min(mask.shape)))
    thin = mask & ~_opened(mask, thick + 1, thick + 1)
    lying = _band(thin, thick, SEVERAL)
    # 1s may stand side by side, but not on squared paper or in a frame.
    standing = _band(thin.T, thick, SEVERAL if lying.any() else LONG).T
    if not lying.any() and not standing.any():
        return lying
    reach = thick + 3
    crossed = _opened(mask, reach, 1)
    passed = _opened(mask, 1, reach)
    square = _opened(mask, reach, reach)
    return (lying & ~crossed) | (standing & ~passed) | (lying & standing & ~square)


def _opened(mask: Mask, rows: int, columns: int) -> Mask:
    """The pixels of all rectangles of that size that the mask holds."""
    opened: Mask = ndimage.grey_opening(mask.view(np.uint8), (rows, columns)).view(bool)
    return opened


def _band(thin: Mask, thick: int, several: float) -> Mask:
    """What is on or beside lines that lie."""
    height, width = thin.shape
    across = np.arange(width)
    band = np.zeros_like(thin)
    for slope, start in _lines(thin, thick, several):
        line = np.round(start + slope * (across - width / 2)).astype(int)
        for offset in range(-thick // 2, thick // 2 + 1):
            row = line + offset
            inside = (row >= 0) & (row < height)
            band[row[inside], across[inside]] = True
    return band


def _lines(thin: Mask, thick: int, several: float) -> list[tuple[float, int]]:
    """Slope, and row half-way across, of each line: the peaks of a Hough transform."""
    height, width = thin.shape
    rows, columns = np.nonzero(thin)
    margin = int(SLOPES.max() * width / 2) + 1
    places = rows - SLOPES[:, None] * (columns - width / 2) + margin
    counts = np.stack(
        [np.bincount(np.round(row).astype(int), minlength=height + 2 * margin) for row in places]
    )
    lines: list[tuple[float, int]] = []
    least = several * width
    while counts.max() >= least:
        slope, start = np.unravel_index(counts.argmax(), counts.shape)
        length = counts[slope, start]
        lines.append((float(SLOPES[slope]), int(start) - margin))
        counts[:, max(0, start - thick) : start + thick + 1] = 0
        if len(lines) == 1 and length < LONG * width and counts.max() < least:
            return []
        if len(lines) == 2:
            least = PARALLEL * width
            counts[abs(SLOPES - SLOPES[slope]) > SAME_SLOPE] = 0
    return lines

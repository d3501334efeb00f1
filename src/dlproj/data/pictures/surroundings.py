"""What is around a digit: paper, or what its ink is made of."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dlproj.data.pictures.ink import edge_width
from dlproj.data.pictures.parts import EIGHT, Part

Array = NDArray[np.float32]

NEAR, FAR = 0.1, 0.2  # of a digit's longer side: how far from its box its surroundings are


def on_paper(group: list[Part], grey: Array) -> bool:
    """Whether a digit lies on paper that goes on around it.

    The paper within a circle or a box looks like a shape in light ink, and may have that of a
    digit. But beyond the line, its surroundings are as light as itself.

    Args:
        group: the parts of a dark digit.
        grey: (height, width) brightness in [0, 1].
    """
    box = [
        slice(
            min(part.place[axis].start for part in group),
            max(part.place[axis].stop for part in group),
        )
        for axis in (0, 1)
    ]
    size, edge = max(side.stop - side.start for side in box), edge_width(grey.shape)
    near, far = round(NEAR * size), round(FAR * size)
    window = tuple(slice(max(0, side.start - far), side.stop + far) for side in box)
    mask, around = np.zeros(grey.shape, bool), np.ones(grey.shape, bool)
    for part in group:
        mask[part.place] |= part.mask
    around[tuple(slice(max(0, side.start - near), side.stop + near) for side in box)] = False
    mask, around, grey = mask[window], around[window], grey[window]
    beside = ndimage.binary_dilation(mask, EIGHT, 3 * edge)
    beside &= ~ndimage.binary_dilation(mask, EIGHT, edge)
    if not around.any() or not beside.any():
        return True
    ink, paper, surroundings = (np.median(grey[some]) for some in (mask, beside, around))
    return bool(surroundings > (ink + paper) / 2)

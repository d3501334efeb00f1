"""Training images changed at random, so that a network sees each digit in many hands."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.digits import SIDE, to_pixels

TURN, SLANT = math.radians(12), math.radians(8)
SCALE, MOVE = 0.12, 2 / SIDE  # of the side


def distorted_pixels(
    pictures: Tensor, generator: torch.Generator, *, strength: float, contrast: float = 1.0
) -> Tensor:
    """As `to_pixels`, each picture turned, slanted, scaled and moved (Simard et al. 2003).

    Args:
        pictures: bytes (n, 28, 28).
        generator: draws an affine map for each picture.
        strength: at 1 they turn by up to 12°, slant by 8°, scale by 12 % in height and in width,
            and move by 2 pixels; at 0 nothing changes and nothing is drawn.
        contrast: what moving leaves grey goes so many times as far from half.
    """
    pixels = to_pixels(pictures)
    if strength == 0:
        return pixels
    drawn = strength * (2 * torch.rand(6, len(pictures), generator=generator) - 1)
    cos, sin = (TURN * drawn[0]).cos(), (TURN * drawn[0]).sin()
    slant, wide, high = (SLANT * drawn[1]).tan(), 1 + SCALE * drawn[2], 1 + SCALE * drawn[3]
    # The rows of [turn · slant · scale | move]: from a place in the new image to one in the
    # picture. Places go from -1 to 1, so that a side is 2 long.
    across = torch.stack([cos * wide, (cos * slant - sin) * high, 2 * MOVE * drawn[4]], dim=1)
    down = torch.stack([sin * wide, (sin * slant + cos) * high, 2 * MOVE * drawn[5]], dim=1)
    maps = torch.stack([across, down], dim=1).to(pixels.device)  # (n, 2, 3)
    grid = F.affine_grid(maps, list(pixels.shape), align_corners=False)
    # Between pixels it interpolates; beyond the border it is black.
    moved = F.grid_sample(pixels, grid, align_corners=False)
    return moved if contrast == 1 else ((moved - 0.5) * contrast + 0.5).clamp(0, 1)

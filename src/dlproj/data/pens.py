"""Training images as pens and cameras make them, and shapes that are no digit.

What the user's own pictures differ in from MNIST, once they are prepared as its images were, is
the pen: thin or thick, with sharp edges or soft ones, a stroke that breaks off, a rest of a line.
"""

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dlproj.data.image_data import SIDE

SIGNS = "AEFHKMNPRUVWX#%&@+=*<^~dhkmnruvwx"  # none of them looks like a digit
HALF_A_LINE = math.pi / 2
MARGIN = (SIDE - 20) // 2


def pen_strokes(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Images (n, 1, 28, 28) in [0, 1] drawn anew with a pen of another width and edge."""
    count = len(pixels)

    def drawn(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)

    width = drawn(-0.7, 1.0)  # of a pixel to both sides
    # The lightest of 3x3 pixels makes strokes a pixel wider on both sides, the darkest thinner.
    wider, thinner = F.max_pool2d(pixels, 3, 1, 1), -F.max_pool2d(-pixels, 3, 1, 1)
    pixels = pixels + width.clamp(min=0) * (wider - pixels)
    pixels = pixels + (-width).clamp(min=0) * (thinner - pixels)
    soft = F.avg_pool2d(pixels, 3, 1, 1, count_include_pad=True)
    pixels = pixels + drawn(-0.4, 1.0).clamp(min=0) * (soft - pixels)
    sharp = drawn(1, 4)
    threshold = drawn(0.35, 0.5)
    # A steeper line through the threshold: grey edges become narrow.
    sharpened = ((pixels - threshold) * sharp + threshold).clamp(0, 1)
    pixels = torch.where(drawn(0, 1) < 0.6, sharpened, pixels)
    # A dark line is where the pen left off, a light one the rest of a ruling.
    gap = (drawn(0, 1) < 0.12) * _lines(count, generator, thickness=1.2)
    rest = (drawn(0, 1) < 0.12) * drawn(0.2, 0.7) * _lines(count, generator, thickness=0.7)
    pixels = torch.maximum(pixels * (1 - gap), rest * _inside())
    return pixels / pixels.amax((1, 2, 3), keepdim=True).clamp(min=0.1)


def shapes(digits: Tensor, generator: torch.Generator) -> Tensor:
    """As many images that are no digit as the digits (n, 1, 28, 28) that some are made of.

    In turn: blots, crossing lines, a line that lies, two digits squeezed into one image, and
    printed letters and signs.
    """
    count = len(digits)
    kinds = [
        _blots(count, generator),
        _crossings(count, generator),
        _lines(count, generator, thickness=1.5, slope=0.6) * _inside(),
        _pairs(digits),
        _signs(count, generator),
    ]
    turn = torch.arange(count) % len(kinds)
    # Of (kinds, n, 1, 28, 28), each image in the kind whose turn it is.
    return torch.stack(kinds)[turn, torch.arange(count)]


def _lines(
    count: int, generator: torch.Generator, *, thickness: float, slope: float = HALF_A_LINE
) -> Tensor:
    """A straight line through each image (n, 1, 28, 28), at most so many radians from lying."""
    angle, offset, width = torch.rand(3, count, 1, 1, 1, generator=generator)
    angle, offset = slope * (2 * angle - 1), 12 * (offset - 0.5)
    across = torch.arange(SIDE) - SIDE / 2
    # From a line in Hesse's normal form: (side, side), in pixels.
    distance = across[:, None] * angle.cos() - across * angle.sin() - offset
    return (thickness * (0.5 + width) + 0.5 - distance.abs()).clamp(0, 1)


def _inside() -> Tensor:
    """1 in the 20x20 pixels where digits are, 0 around them."""
    return F.pad(torch.ones(1, 1, 20, 20), [MARGIN] * 4)


def _blots(count: int, generator: torch.Generator) -> Tensor:
    """Filled shapes of a random field, round ones if it is weak."""
    field = F.interpolate(
        torch.randn(count, 1, 5, 5, generator=generator), SIDE, mode="bicubic", align_corners=True
    )
    across = torch.arange(SIDE) - SIDE / 2 + 0.5
    round_ = 1 - torch.hypot(across[:, None], across) / 9
    strength = torch.rand(count, 1, 1, 1, generator=generator)
    return ((round_ + strength * field) * 4).clamp(0, 1) * _inside()


def _crossings(count: int, generator: torch.Generator) -> Tensor:
    """Parts of a grid: lines lying and standing."""
    lying = _lines(count, generator, thickness=1.0, slope=0.1)
    more = _lines(count, generator, thickness=1.0, slope=0.1)
    standing = _lines(count, generator, thickness=1.0, slope=0.1).mT
    return torch.maximum(torch.maximum(lying, more), standing) * _inside()


def _pairs(digits: Tensor) -> Tensor:
    """Each digit beside the next, both squeezed."""
    trimmed = digits[..., 4:24]
    both = torch.cat([trimmed, trimmed.roll(1, 0)], dim=3)
    return F.pad(F.interpolate(both, (SIDE, 20), mode="area"), (MARGIN, MARGIN))


def _signs(count: int, generator: torch.Generator) -> Tensor:
    """Printed letters and signs."""
    chosen = torch.randint(len(SIGNS), (count,), generator=generator)
    return _printed()[chosen]


@cache
def _printed() -> Tensor:
    """Each of the signs in the font that Pillow brings: (signs, 1, 28, 28)."""
    font = ImageFont.load_default(24)
    images = []
    for sign in SIGNS:
        picture = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), sign, 255, font, anchor="mm")
        images.append(np.asarray(picture, np.float32) / 255)
    return torch.from_numpy(np.stack(images)).unsqueeze(1)

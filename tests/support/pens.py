"""Pens and shapes in numpy and scipy, one image at a time, from the same random numbers."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]

PLACES = np.arange(28)
INSIDE = ((PLACES >= 4) & (PLACES < 24)).astype(float)  # where the digits of MNIST are
SQUARE = np.outer(INSIDE, INSIDE)


def uniform(count: int, generator: torch.Generator, low: float, high: float) -> Array:
    """One number for each image."""
    drawn = torch.rand(count, generator=generator).double().numpy()
    return np.asarray(low + (high - low) * drawn)


def lines(count: int, generator: torch.Generator, thickness: float, most: float) -> list[Array]:
    """Straight lines up to 6 pixels off the middle, turned by up to `most` radians."""
    drawn = torch.rand(3 * count, generator=generator).double().numpy().reshape(3, count)
    made = []
    for turn, offset, width in drawn.T:
        angle = most * (2 * turn - 1)
        normal = [math.cos(angle), -math.sin(angle)]
        far = normal[0] * (PLACES[:, None] - 14) + normal[1] * (PLACES[None] - 14)
        half = thickness * (0.5 + width)  # of the line's width; its edge is a pixel wide
        made.append(np.clip(half + 0.5 - np.abs(far - 12 * (offset - 0.5)), 0, 1))
    return made


def pen_strokes(pixels: Array, generator: torch.Generator) -> Array:
    """Images (n, 28, 28): wider or thinner, softer, sharper, with a gap and a rest of a line."""
    n, upright = len(pixels), math.pi / 2
    width = uniform(n, generator, -0.7, 1)
    soft = uniform(n, generator, -0.4, 1)
    contrast, threshold = uniform(n, generator, 1, 4), uniform(n, generator, 0.35, 0.5)
    sharp = uniform(n, generator, 0, 1) < 0.6
    gap = uniform(n, generator, 0, 1) < 0.12
    gaps = lines(n, generator, 1.2, upright)
    rest = uniform(n, generator, 0, 1) < 0.12
    strength = uniform(n, generator, 0.2, 0.7)
    rests = lines(n, generator, 0.7, upright)
    made = []
    for k, image in enumerate(pixels):
        filled = ndimage.maximum_filter if width[k] > 0 else ndimage.minimum_filter
        x = image + abs(width[k]) * (filled(image, 3, mode="nearest") - image)
        blurred = ndimage.uniform_filter(x, 3, mode="constant")
        x = x + max(soft[k], 0) * (blurred - x)
        if sharp[k]:
            x = np.clip(threshold[k] + contrast[k] * (x - threshold[k]), 0, 1)
        x = x * (1 - gap[k] * gaps[k])
        x = np.maximum(x, rest[k] * strength[k] * rests[k] * SQUARE)
        made.append(x / max(x.max(), 0.1))
    return np.stack(made)


def cubic(distance: Array) -> Array:
    """Weights of the cubic convolution of Keys 1981, a = -0.75."""
    a, d = -0.75, np.abs(distance)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def enlarged(field: Array) -> Array:
    """A field (5, 5) over 28 x 28 pixels, corner on corner; its border goes on outside."""
    weights = cubic(np.linspace(0, 4, 28)[:, None] - np.arange(-2, 7))
    return np.asarray(weights @ np.pad(field, 2, mode="edge") @ weights.T)


def blots(count: int, generator: torch.Generator) -> list[Array]:
    """Where a disc of 9 pixels and a random field of up to its strength are above zero."""
    fields = torch.randn(count, 5, 5, generator=generator).double().numpy()
    strengths = uniform(count, generator, 0, 1)
    disc = 1 - np.hypot(PLACES[:, None] - 13.5, PLACES - 13.5) / 9
    pairs = zip(fields, strengths, strict=True)
    return [np.clip(4 * (disc + s * enlarged(f)), 0, 1) * SQUARE for f, s in pairs]


def crossings(count: int, generator: torch.Generator) -> list[Array]:
    """Two lines that lie and one that stands, each within a tenth of a radian."""
    first, second, third = (lines(count, generator, 1, 0.1) for _ in range(3))
    return [
        np.maximum(np.maximum(one, two), three.T) * SQUARE
        for one, two, three in zip(first, second, third, strict=True)
    ]


def pair(left: Array, right: Array) -> Array:
    """Two images without their sides, each squeezed to half its width."""
    both = np.concatenate([left[:, 4:24], right[:, 4:24]], axis=1)
    return np.pad((both[:, ::2] + both[:, 1::2]) / 2, ((0, 0), (4, 4)))

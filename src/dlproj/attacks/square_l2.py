"""What Square draws in l2: bumps of change (Andriushchenko et al. 2020, algorithms 3 and 4)."""

import torch
from torch import Tensor

from dlproj.attacks.common import SMALLEST, direction

SMALLEST_SIDE = 3  # of a window, in pixels


def start_with_bumps(images: Tensor, epsilon: float, generator: torch.Generator | None) -> Tensor:
    """Images (batch, channels, height, width) with bumps of either sign on five by five tiles."""
    height, width = images.shape[-2:]
    side = max(height // 5, 1)
    change = torch.zeros_like(images)
    first = (height - 5 * side) // 2
    for top in range(first, first + height // side * side, side):
        for left in range(first, first + width // side * side, side):
            tile = change[..., top : top + side, left : left + side]
            bump = _bump(side, images, generator)[: tile.shape[-2], : tile.shape[-1]]
            tile += bump * signs((*images.shape[:2], 1, 1), images, generator)
    return _at_length(images, change, epsilon)


def move_bump(
    here: Tensor, images: Tensor, side: int, epsilon: float, generator: torch.Generator | None
) -> Tensor:
    """One window's change becomes a bump, which takes over the length of another window's.

    Both windows are the same for all images. The bump is added to the direction that the change has
    there already; what `epsilon` leaves over goes into it too.
    """
    height, width = images.shape[-2:]
    side = min(max(side, SMALLEST_SIDE) | 1, height, width)  # odd, so that it has a middle
    change, window = here - images, _window(side, images, generator)
    other = _window(side, images, generator)
    covered = torch.zeros_like(change, dtype=torch.bool)
    covered[window] = covered[other] = True
    within = (change * covered).square().sum((2, 3), keepdim=True)  # (batch, channels, 1, 1)
    unused = (epsilon**2 - change.square().sum((1, 2, 3), keepdim=True)).clamp(min=0)
    old = change[window]
    bump = _bump(side, images, generator) * signs((*images.shape[:2], 1, 1), images, generator)
    bump = bump + old / (_length(old) + SMALLEST)
    # The bump takes: what epsilon leaves, shared by the channels, and what both windows held.
    bump = bump / (_length(bump) + SMALLEST) * (unused / images.shape[1] + within).sqrt()
    # Its length has gone into the bump.
    change[other] = 0
    change[window] = bump
    return _at_length(images, change, epsilon)


def _at_length(images: Tensor, change: Tensor, epsilon: float) -> Tensor:
    # At full length; the border of [0, 1] may shorten it.
    return (images + epsilon * direction(change, "l2")).clamp(0, 1)


def _length(windows: Tensor) -> Tensor:
    return windows.square().sum((2, 3), keepdim=True).sqrt()


def _window(
    side: int, images: Tensor, generator: torch.Generator | None
) -> tuple[slice, slice, slice, slice]:
    """Where all images have one window: an index into (batch, channels, height, width)."""

    def span(length: int) -> slice:
        first = int(torch.randint(length - side + 1, (1,), generator=generator, device="cpu"))
        return slice(first, first + side)

    return slice(None), slice(None), span(images.shape[-2]), span(images.shape[-1])


def _bump(side: int, images: Tensor, generator: torch.Generator | None) -> Tensor:
    """A hill beside a valley, above or left of it: (side, side), of length one."""
    half = side // 2
    bump = torch.cat([_hill(half, side), -_hill(side - half, side)])
    turned = torch.randint(2, (1,), generator=generator, device="cpu")
    bump = bump.T if turned else bump
    return (bump / bump.norm()).to(images)


def _hill(height: int, width: int) -> Tensor:
    """Rectangles upon each other, the k-th smaller and 1/k² higher: (height, width)."""
    hill = torch.zeros(height, width, dtype=torch.float64)
    top, left = height // 2, width // 2
    for number in range(max(height, width) // 2 + 1):
        rows = slice(max(top - number, 0), top + number + 1)
        hill[rows, max(left - number, 0) : left + number + 1] += 1 / (number + 1) ** 2
    return hill / hill.norm() if height else hill


def signs(shape: tuple[int, ...], images: Tensor, generator: torch.Generator | None) -> Tensor:
    """+1 or -1, evenly."""
    drawn = 2 * torch.randint(2, shape, generator=generator, device="cpu") - 1
    return drawn.to(images.device, images.dtype)

"""The Square attack: random search that sees only the logits (Andriushchenko et al. 2020)."""

import torch
from torch import Tensor, nn

from dlproj.attacks.arguments import checked, require_pictures
from dlproj.attacks.common import fooled, margin, per_image, project
from dlproj.attacks.square_l2 import move_bump, signs, start_with_bumps

FIRST_SHARE = 0.8  # of the image that the first squares cover
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of that share, in 10,000 queries


@checked
def square(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    queries: int = 1000,
    rescale: bool = True,
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Squares of change, kept where they lower the margin.

    In "linf" they are of +epsilon or -epsilon; in "l2", bumps that take over the length of the
    change elsewhere. It needs no gradient, so that hiding the gradient does not help against it.
    The squares shrink as the queries are used up; without `rescale`, as if there were 10,000.
    Images (batch, channels, height, width) that are misread are left alone from then on.
    """
    require_pictures(images, "square")
    planned = queries if rescale else 10_000
    sign = -1 if targeted else 1
    adversarial = _start(images, epsilon, norm, generator)
    with torch.no_grad():
        logits = model(adversarial)
        lowest = sign * margin(logits, labels)
        rows = (~fooled(logits, labels, targeted=targeted)).nonzero()[:, 0]
        # The look at the start was the first query.
        for query in range(1, queries):
            if not len(rows):
                break
            here, side = adversarial[rows], _side(query / planned, images)
            moved = _move(here, images[rows], side, epsilon, norm, generator)
            logits = model(moved)
            value = sign * margin(logits, labels[rows])
            misread = fooled(logits, labels[rows], targeted=targeted)
            better = misread | (value < lowest[rows])
            adversarial[rows] = torch.where(per_image(better, here), moved, here)
            lowest[rows] = torch.where(better, value, lowest[rows])
            rows = rows[~misread]
    return adversarial


def _start(images: Tensor, epsilon: float, norm: str, generator: torch.Generator | None) -> Tensor:
    if norm == "l2":
        return start_with_bumps(images, epsilon, generator)
    return project(images + epsilon * _stripes(images, generator), images, epsilon, "linf")


def _move(
    here: Tensor,
    images: Tensor,
    side: int,
    epsilon: float,
    norm: str,
    generator: torch.Generator | None,
) -> Tensor:
    """What is asked about next."""
    if norm == "l2":
        return move_bump(here, images, side, epsilon, generator)
    # 2 epsilon carry a pixel from either side of the ball to the other; `project` takes back the
    # rest.
    change = 2 * epsilon * _squares(here, side, generator)
    return project(here + change, images, epsilon, "linf")


def _side(progress: float, images: Tensor) -> int:
    """Side of the squares, in pixels, after this share of the queries."""
    halvings = sum(10_000 * progress > start for start in HALVINGS)
    height, width = images.shape[-2:]
    # The share is of the area, and so the side goes by its root.
    side = round((FIRST_SHARE / 2**halvings * height * width) ** 0.5)
    return min(max(side, 1), height, width)


def _stripes(images: Tensor, generator: torch.Generator | None) -> Tensor:
    """+1 or -1 for each column of each image and channel."""
    batch, channels, _, width = images.shape
    return signs((batch, channels, 1, width), images, generator)


def _squares(images: Tensor, side: int, generator: torch.Generator | None) -> Tensor:
    """+1 or -1 for each channel within a square anywhere in each image, 0 elsewhere."""
    batch, channels, height, width = images.shape

    def span(length: int) -> Tensor:
        """Which places of an axis the squares cover: (batch, length)."""
        first = torch.randint(length - side + 1, (batch, 1), generator=generator, device="cpu")
        places = torch.arange(length, device="cpu")
        return ((places >= first) & (places < first + side)).to(images.device)

    inside = span(height)[:, None, :, None] & span(width)[:, None, None, :]
    return inside * signs((batch, channels, 1, 1), images, generator)

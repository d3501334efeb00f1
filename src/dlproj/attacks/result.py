"""What a network makes of many images, before and after an attack."""

from collections import Counter
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class AsTheyAre:
    """What a network makes of the images without any attack."""

    logits: Tensor  # (n, classes)
    steepest: Tensor | None = None  # (n,) the largest entry of each image's gradient, if known


@dataclass(frozen=True)
class Attacked:
    """The images that one epsilon gave, and what the network makes of them."""

    epsilon: float
    images: Tensor  # (n, 1, 28, 28) in [0, 1]
    logits: Tensor  # (n, classes)
    seconds: float  # a share of those of all that were made at once
    tally: Counter[str]  # by part of several attacks, the images that it was first to fool
    distances: Tensor | None = None  # (n,) the smallest change found, whatever epsilon; or inf

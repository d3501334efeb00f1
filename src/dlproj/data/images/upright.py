"""Whether images lie transposed, as EMNIST's files hold them: seen by the images themselves.

The mean image of each digit is compared with that of MNIST's, upright and transposed; so are
letters that look like digits. Where there is neither, nothing is said.
"""

from functools import lru_cache

import torch
from torch import Tensor

from dlproj.data.images.mnist import read_mnist

ALIKE = {"i": 1, "l": 1, "z": 2, "s": 5}  # letters, large and small, that look like digits
MOST = 500  # images of a class that are looked at
FEWEST = 5  # images of a class that make a mean
CLEAR = 0.1  # difference of the mean correlations that decides
# Least mean correlation. What is labelled 0 to 9 need not be digits; what is labelled so in a wrong
# order stays below 0.7.
DIGITS, LETTERS = 0.75, 0.4


def lies_transposed(pictures: Tensor, labels: Tensor, names: list[str]) -> bool | None:
    """Whether images lie transposed; None where they do not tell.

    Args:
        pictures: bytes (n, 28, 28).
        labels: classes (n,).
        names: of the classes.
    """
    references = _mean_digits()
    upright, transposed = [], []
    for label, name in enumerate(names):
        digit = int(name) if name.isdecimal() and len(name) == 1 else ALIKE.get(name.lower())
        own = (labels == label).nonzero()[:MOST, 0]
        if digit is None or len(own) < FEWEST:
            continue
        mean = pictures[own].float().mean(0)
        upright.append(_correlation(mean, references[digit]))
        transposed.append(_correlation(mean.T, references[digit]))
    if not upright:
        return None
    least = DIGITS if all(map(str.isdecimal, names)) else LETTERS
    straight, turned = sum(upright) / len(upright), sum(transposed) / len(transposed)
    if max(straight, turned) < least or abs(turned - straight) < CLEAR:
        return None
    return turned > straight


@lru_cache(1)
def _mean_digits() -> Tensor:
    """MNIST's mean images (10, 28, 28), of its test images."""
    pictures, labels = read_mnist(train=False)
    return torch.stack([pictures[labels == digit].float().mean(0) for digit in range(10)])


def _correlation(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].nan_to_num())

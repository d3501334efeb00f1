"""Images as they lie in the user's files, before they are brought to one form."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TESTED = 10  # of a set without test images, one in so many becomes one


@dataclass(frozen=True)
class Part:
    """Images (n, …) of any size, colour and type, and their labels (n, …) of any kind."""

    images: NDArray[Any]
    labels: NDArray[Any]


@dataclass(frozen=True)
class Found:
    """The two parts of a data set, and what its files say of it.

    Args:
        train: to learn from.
        test: to be tested on.
        where: the path, for messages.
        written: how it was written, for people.
        names: of labels, where the files give them.
        emnist: whether the files are named as EMNIST's, whose images lie transposed.
        upright: whether the images are known to be upright, as pictures are.
        remarks: on what is unusual.
    """

    train: Part
    test: Part
    where: str
    written: str
    names: Mapping[int, str] | None = None
    emnist: bool = False
    upright: bool = False
    remarks: tuple[str, ...] = ()


def is_tested(key: bytes) -> bool:
    """Whether an image becomes a test image: the same in every run, by a hash of its key."""
    return hashlib.sha256(key).digest()[0] * TESTED < 256


def split_by_content(part: Part) -> tuple[Part, Part]:
    """Training and test images, by a hash of each: equal images stay together."""
    keys = [image.tobytes() for image in np.ascontiguousarray(part.images)]
    tested = np.fromiter(map(is_tested, keys), bool, len(keys))
    return (
        Part(part.images[~tested], part.labels[~tested]),
        Part(part.images[tested], part.labels[tested]),
    )

"""Images with their labels, and data sets of them."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dlproj.data.notes import NOTHING, Notes
from dlproj.errors import UsageError

SIDE = 28


@dataclass(frozen=True)
class Images:
    """Pictures (n, 28, 28) of bytes, and their labels (n,) of integers from 0 on."""

    pictures: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Images":
        """The same, on a device."""
        return Images(self.pictures.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Digits:
    """A data set: training, held-out validation (maybe empty) and test images.

    `notes` say what was read and what is unusual about it, where it is the user's own.
    """

    train: Images
    validation: Images
    test: Images
    names: list[str]
    notes: Notes = NOTHING

    def to(self, device: torch.device) -> "Digits":
        """The same, on a device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
        )

    @property
    def classes(self) -> int:
        """How many kinds of image there are."""
        return len(self.names)


def to_pixels(pictures: Tensor) -> Tensor:
    """Bytes (n, 28, 28) to what networks take: (n, 1, 28, 28) in [0, 1].

    Raises:
        UsageError: they are something else.
    """
    if not isinstance(pictures, Tensor) or pictures.dtype != torch.uint8 or pictures.ndim != 3:
        raise UsageError("pictures must be bytes: a tensor (n, 28, 28) of torch.uint8")
    return pictures.unsqueeze(1).float().div_(255)

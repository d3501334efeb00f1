"""Training for the user's own pictures: many pens, and shapes that are no digit (open set)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.batches import ShuffledBatches, epoch_generator
from dlproj.data.pens import pen_strokes, shapes

SHARE = 4  # digits to a shape that is none


@dataclass(frozen=True)
class PenBatches:
    """Batches drawn anew with other pens, and with shapes labelled `classes`, one past the last."""

    batches: ShuffledBatches
    classes: int

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch, counted from 0, after those that are done."""
        for index, (digits, labels) in enumerate(self.batches.epoch(number, done), start=done):
            generator = epoch_generator(self.batches.seed, number, index)
            images, device = digits.cpu(), digits.device  # where the generator draws
            others = shapes(images[: -(-len(images) // SHARE)], generator)
            images = pen_strokes(torch.cat([images, others]), generator)
            targets = torch.cat([labels.cpu(), torch.full((len(others),), self.classes)])
            order = torch.randperm(len(images), generator=generator)  # so that all columns see both
            yield images[order].to(device), targets[order].to(device)


def open_set_loss(logits: Tensor, labels: Tensor, *, label_smoothing: float) -> Tensor:
    """Cross-entropy; of what is no class, with all classes alike (Hendrycks et al. 2019).

    Args:
        logits: (batch, classes).
        labels: (batch,), `classes` for what is none of them.
        label_smoothing: share of each target that goes to all classes alike.
    """
    classes = logits.shape[1]
    targets = F.one_hot(labels, classes + 1)[:, :-1] * (1 - label_smoothing)
    spread = torch.where(labels == classes, 1.0, label_smoothing) / classes
    return F.cross_entropy(logits, targets + spread[:, None])

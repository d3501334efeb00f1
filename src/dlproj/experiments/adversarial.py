"""Training on adversarial images, made for the network as it is at each step."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.flatness import untold
from dlproj.data.batches import ShuffledBatches, epoch_generator
from dlproj.settings import DigitsConfig
from dlproj.training.device import Machine
from dlproj.training.loop import accuracy, predict

WARM_UP = 1.0  # epochs over which epsilon grows: at once the full one, nothing is learnt
# Of distorted images: between pixels they are grey, and an attack carries grey pixels across any
# threshold. So they have no more of them than MNIST's own.
CONTRAST = 1.6
CHECK_STEPS, CHECK_IMAGES = 40, 2000  # of the attack that measures how robust a network is


@dataclass(frozen=True)
class AdversarialBatches:
    """Batches moved by pgd against a model (Madry et al. 2018), each from its own random start."""

    batches: ShuffledBatches
    model: nn.Module
    machine: Machine
    epsilon: float
    steps: int

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch, counted from 0, after those that are done."""
        for index, (images, labels) in enumerate(self.batches.epoch(number, done), start=done):
            # In epochs, and known from the place alone: a resumed training goes on with the same
            # epsilon.
            grown = min(1.0, (number + index / len(self)) / WARM_UP)
            with self.machine.autocast(), untold():
                adversarial = attacks.pgd(
                    self.model,
                    images,
                    labels,
                    epsilon=grown * self.epsilon,
                    steps=self.steps,
                    generator=epoch_generator(self.batches.seed, number, index),
                )
            yield adversarial, labels


def robust_accuracy(
    model: nn.Module, images: Tensor, labels: Tensor, config: DigitsConfig, machine: Machine
) -> float:
    """Accuracy on the first images under pgd of many steps: what is left, or less, in truth."""
    images, labels = images[:CHECK_IMAGES], labels[:CHECK_IMAGES]
    generator = torch.Generator().manual_seed(config.seed)
    with untold():
        made = [
            attacks.pgd(
                model, batch, aims, epsilon=config.epsilon, steps=CHECK_STEPS, generator=generator
            )
            for batch, aims in zip(images.split(500), labels.split(500), strict=True)
        ]
    return accuracy(predict(model, torch.cat(made), machine=machine), labels)

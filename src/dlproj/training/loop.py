"""The one training loop, and its counterpart for prediction."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dlproj.errors import DivergedError
from dlproj.training.device import Machine

Loss = Callable[[Tensor, Tensor], Tensor]
Score = Callable[[Tensor, Tensor], float]


class Batches(Protocol):
    """Training examples, in an order that depends on the number of the epoch alone."""

    def __len__(self) -> int:
        """Batches in one epoch."""

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The (inputs, targets) of each batch of one epoch, after those that are done."""


@dataclass
class Training:
    """Everything that a training changes, and so what a checkpoint holds."""

    model: nn.Module
    optimizer: Optimizer
    schedule: LRScheduler
    step: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Step:
    """One optimiser step, as seen by those who show, draw or save it."""

    step: int  # 1 is the first
    steps: int  # of the whole run
    epoch: int  # 1 is the first
    epochs: int
    lr: float
    loss: float  # mean over the batch
    score: float | None  # mean over the batch
    examples: int

    @property
    def ends_epoch(self) -> bool:
        """Whether this is the last step of its epoch."""
        return self.step % (self.steps // self.epochs) == 0


def fit(
    training: Training,
    batches: Batches,
    *,
    loss_fn: Loss,
    epochs: int,
    machine: Machine,
    score: Score | None = None,
) -> Iterator[Step]:
    """Train from wherever `training` stands to the end, yielding after every step.

    Raises:
        DivergedError: the loss is infinite or not a number; the weights are those before that step.
    """
    steps = epochs * len(batches)
    while training.step < steps:
        epoch, done = divmod(training.step, len(batches))
        training.model.train()
        for inputs, targets in batches.epoch(epoch, done):
            lr = float(training.schedule.get_last_lr()[0])
            loss, outputs = _update(training, inputs, targets, loss_fn, machine)
            training.step += 1
            yield Step(
                step=training.step,
                steps=steps,
                epoch=epoch + 1,
                epochs=epochs,
                lr=lr,
                loss=loss,
                score=score(outputs, targets) if score else None,
                examples=len(targets),
            )


def _update(
    training: Training, inputs: Tensor, targets: Tensor, loss_fn: Loss, machine: Machine
) -> tuple[float, Tensor]:
    """One optimiser step. Returns the loss, and the outputs (batch, …) before the step."""
    with machine.autocast():
        outputs = training.model(inputs)
        loss = loss_fn(outputs, targets)
    value = float(loss.item())
    if not math.isfinite(value):
        raise DivergedError(training.step + 1, float(training.schedule.get_last_lr()[0]))
    training.optimizer.zero_grad()
    loss.backward()
    training.optimizer.step()
    training.schedule.step()
    return value, outputs.detach()


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Fraction of (batch, classes) logits whose highest is the (batch,) label's."""
    return (logits.argmax(1) == labels).double().mean().item()


def confusion_matrix(logits: Tensor, labels: Tensor, classes: int) -> Tensor:
    """How often (true, predicted) classes met: (classes, classes) counts."""
    pairs = labels * classes + logits.argmax(1)
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


@torch.inference_mode()
def predict(model: nn.Module, inputs: Tensor, *, machine: Machine, batch_size: int = 500) -> Tensor:
    """Outputs (examples, …) for all inputs, in evaluation mode; the mode is restored."""
    training = model.training
    model.eval()
    try:
        with machine.autocast():
            outputs = torch.cat([model(batch) for batch in inputs.split(batch_size)])
        return outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    finally:
        model.train(training)

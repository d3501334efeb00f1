"""The one training loop, and its counterpart for prediction."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dlproj.errors import DivergedError
from dlproj.interrupts import interrupts
from dlproj.training.device import Machine
from dlproj.training.side_by_side import side_by_side

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
    scaler: GradScaler = field(default_factory=partial(GradScaler, "cpu", enabled=False))  # of fp16


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
    interrupted: bool  # a signal has asked this process, or one that shares the work, to end

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

    Args:
        training: what is trained; it is changed.
        batches: the examples.
        loss_fn: the mean loss of outputs and targets.
        epochs: passes over the examples, from the first on.
        machine: device, precision, and the processes that share the work.
        score: a mean over outputs and targets to show beside the loss.

    Raises:
        DivergedError: the loss is infinite or not a number; the weights are those before that step.
    """
    group, steps = machine.group, epochs * len(batches)
    forward = group.spread(training.model, machine.threads)
    if machine.precision == "fp16" and not training.scaler.is_enabled():
        training.scaler = GradScaler(machine.device.type)
    while training.step < steps:
        # A resumed training may start within an epoch.
        epoch, done = divmod(training.step, len(batches))
        training.model.train()
        for inputs, targets in batches.epoch(epoch, done):
            lr = float(training.schedule.get_last_lr()[0])
            own_inputs, own_targets = group.share(inputs, targets)
            with machine.autocast():
                outputs = forward(own_inputs)
                # Of a batch smaller than the group, some processes have no example at all.
                loss = loss_fn(outputs, own_targets) if len(outputs) else outputs.sum()
            means = [loss.item(), score(outputs.detach(), own_targets) if score else 0.0]
            wait_for_means = group.mean(means, len(outputs), interrupts.pending is not None)
            # Shares differ in size. The sum over processes is the mean over the batch.
            _differentiate(training, loss * (len(outputs) / len(targets)))
            group.add_gradients(training.model)
            (mean_loss, mean_score), interrupted = wait_for_means()
            if not math.isfinite(mean_loss):
                raise DivergedError(training.step + 1, lr)
            _update(training)
            group.share_statistics()
            training.step += 1
            if group.size == 1:  # one process by itself knows of signals since then
                interrupted = interrupts.pending is not None
            yield Step(
                step=training.step,
                steps=steps,
                epoch=epoch + 1,
                epochs=epochs,
                lr=lr,
                loss=mean_loss,
                score=mean_score if score else None,
                examples=len(targets),
                interrupted=interrupted,
            )


def _differentiate(training: Training, loss: Tensor) -> None:
    """Compute the gradient of the loss, scaled in fp16."""
    training.optimizer.zero_grad()
    # In fp16 small gradients would be 0. So the loss is made larger, and before the step the
    # gradients smaller again.
    training.scaler.scale(loss).backward()


def _update(training: Training) -> None:
    """One optimiser step down the gradient; none where it overflowed in fp16."""
    scale = training.scaler.get_scale()
    training.scaler.step(training.optimizer)
    training.scaler.update()
    if training.scaler.get_scale() >= scale:  # else the step was left out, and is no step
        training.schedule.step()


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Fraction of (batch, classes) logits whose highest is the (batch,) label's."""
    return (logits.argmax(1) == labels).double().mean().item()


def confusion_matrix(logits: Tensor, labels: Tensor, classes: int) -> Tensor:
    """How often (true, predicted) classes met: (classes, classes) counts."""
    # One number for each pair of classes, to be counted at once.
    pairs = labels * classes + logits.argmax(1)
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


def class_accuracy(confusion: Tensor) -> list[float | None]:
    """Of each true class (a row of the confusion matrix) the share named; None of no examples."""
    return [
        right / total if total else None
        for right, total in zip(confusion.diag().tolist(), confusion.sum(1).tolist(), strict=True)
    ]


def predict(model: nn.Module, inputs: Tensor, *, machine: Machine, batch_size: int = 250) -> Tensor:
    """Outputs (examples, …) for all inputs, in evaluation mode; the mode is restored."""

    def outputs(batch: Tensor) -> Tensor:
        with torch.inference_mode(), machine.autocast():  # each thread has its own mode
            made: Tensor = model(batch)
            return made

    training = model.training
    model.eval()
    try:
        jobs = [partial(outputs, batch) for batch in inputs.split(batch_size)]
        made = torch.cat([*side_by_side(jobs, machine)])
        return made.to(torch.promote_types(made.dtype, torch.float32))
    finally:
        model.train(training)

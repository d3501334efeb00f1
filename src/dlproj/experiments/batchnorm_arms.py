"""The networks that the ablation compares."""

from functools import partial

from torch import nn

from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Digits
from dlproj.data.distortions import distorted_pixels
from dlproj.experiments.digits import make_training
from dlproj.models.noise import DriftingNoise
from dlproj.settings import BatchnormConfig, DigitsConfig
from dlproj.training.device import Machine
from dlproj.training.loop import Training


def make_arm(
    config: BatchnormConfig, machine: Machine, digits: Digits, *, lr: float, seed: int, arm: str
) -> tuple[Training, ShuffledBatches]:
    """A training of the arm "with", "without" or "noisy" (noise after each BatchNorm).

    All arms of a seed see the same images in the same order and start from the same weights:
    BatchNorm's own start at one and zero, and draw no random numbers.
    """
    device = machine.device
    batches = ShuffledBatches(
        digits.train.pictures[: config.images].to(device),
        digits.train.labels[: config.images].to(device),
        batch_size=config.batch_size,
        seed=seed,
        prepare=partial(distorted_pixels, strength=0),
    )
    settings = DigitsConfig(
        seed=seed,
        epochs=config.epochs,
        batch_size=config.batch_size,
        lr=lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        schedule=config.schedule,
        batchnorm=arm != "without",
    )
    training = make_training(settings, digits.classes, len(batches), device)
    if arm == "noisy":
        for name in ("norm1", "norm2", "norm3"):
            noisy = nn.Sequential(training.model.get_submodule(name), DriftingNoise())
            setattr(training.model, name, noisy)
    return training, batches

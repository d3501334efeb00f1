"""What does BatchNorm change inside? Measurements beside what the report says of it."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.config import BatchnormConfig
from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Digits, Images, to_pixels
from dlproj.errors import DivergedError
from dlproj.experiments.claims import Claim, judge
from dlproj.experiments.run import Context
from dlproj.models.noise import DriftingNoise
from dlproj.training.loop import Training, accuracy, fit, predict

ARMS = ("with", "without", "noisy")
RATE = 0.02  # the report's: the nearest of the rates compared is looked at
PROBES = 16  # times that a training is measured
PROBE_IMAGES = 256
STEP_SIZES = (0.25, 0.5, 1.0, 2.0, 4.0)  # along the gradient, in learning rates
GRID = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # rates of the short trainings
GRID_STEPS = 100
TRAINS = 0.8  # accuracy, on images not trained on, from which a short training counts
LAYERS = ("conv1", "conv2", "conv3", "hidden")  # those followed by a ReLU
NORMS = {"conv1": "norm1", "conv2": "norm2", "conv3": "norm3"}


@dataclass(frozen=True)
class Probe:
    """Images (n, 1, 28, 28) and labels (n,) that every measurement looks at."""

    images: Tensor
    labels: Tensor


def diagnose(
    config: BatchnormConfig, context: Context, digits: Digits, make: Any
) -> dict[str, Any]:
    """All measurements, of one seed, and what they say of the report's explanations.

    `make` gives (training, batches) for the settings, a rate, a seed and an arm.
    """
    rate = min(config.lr, key=lambda lr: abs(math.log(lr / RATE)))
    device = context.machine.device
    held = digits.test
    probe = Probe(
        to_pixels(held.pictures[:PROBE_IMAGES]).to(device), held.labels[:PROBE_IMAGES].to(device)
    )

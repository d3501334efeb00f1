"""What does BatchNorm change inside? Measurements of one training."""

import copy
import dataclasses
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.digits import Digits, to_pixels
from dlproj.errors import DivergedError
from dlproj.interrupts import interrupts
from dlproj.training.device import Machine
from dlproj.training.loop import Batches, Training, accuracy, fit, predict

PROBES = 16  # times that a training is measured
PROBE_IMAGES = 256
STEP_SIZES = (0.5, 1.0, 2.0, 4.0, 8.0)  # along the gradient, in learning rates
TEST_IMAGES = 2000
# What a ReLU is given comes from these: BatchNorm, where it is there, stands just before.
INPUTS = {"norm1": "conv1", "norm2": "conv2", "norm3": "conv3", "hidden": "hidden"}
LARGEST = 1e9  # stands for what is not finite, which JSON cannot hold


def follow(
    training: Training, batches: Batches, digits: Digits, machine: Machine, epochs: int, lr: float
) -> dict[str, Any]:
    """One training, measured before it starts and then at even distances."""
    images = to_pixels(digits.train.pictures[:PROBE_IMAGES]).to(machine.device)
    labels = digits.train.labels[:PROBE_IMAGES].to(machine.device)
    total = epochs * len(batches)
    wanted = {round(index * total / (PROBES - 1)) for index in range(PROBES)}
    sizes = [size * lr for size in STEP_SIZES]
    probes = {0: measure(training.model, images, labels, sizes)}
    next_steps: dict[int, Units] = {}
    losses, diverged = [], False
    try:
        for loss in _losses(training, batches, epochs, machine):
            losses.append(loss)
            if training.step - 1 in probes:
                next_steps[training.step] = units(training.model, images)
            if training.step in wanted:
                probes[training.step] = measure(training.model, images, labels, sizes)
    except DivergedError:
        diverged = True
    return {
        "steps": list(probes),
        "layers": over_time(list(probes.values()), list(next_steps.values())),
        "landscape": _columns([seen.landscape for seen in probes.values()]),
        "mean_loss": math.fsum(losses) / len(losses) if losses else LARGEST,
        "accuracy": _test_accuracy(training.model, digits, machine),
        "diverged": diverged,
    }


def try_rate(
    training: Training, batches: Batches, digits: Digits, machine: Machine
) -> dict[str, Any]:
    """A short training: what it reaches on other images, and how many units it leaves dead."""
    try:
        for _ in _losses(training, batches, 1, machine):
            pass
        diverged = False
    except DivergedError:
        diverged = True
    images = to_pixels(digits.train.pictures[:PROBE_IMAGES]).to(machine.device)
    given = relu_inputs(training.model, images)
    dead = [dead_share(values) for values in given.values()]
    return {
        "accuracy": _test_accuracy(training.model, digits, machine),
        "dead": math.fsum(dead) / len(dead),
        "diverged": diverged,
    }


def _losses(training: Training, batches: Batches, epochs: int, machine: Machine) -> Iterator[float]:
    for step in fit(training, batches, loss_fn=F.cross_entropy, epochs=epochs, machine=machine):
        yield step.loss
        interrupts.check()


def _test_accuracy(model: nn.Module, digits: Digits, machine: Machine) -> float:
    """Of the first test images."""
    pixels = to_pixels(digits.test.pictures[:TEST_IMAGES]).to(machine.device)
    labels = digits.test.labels[:TEST_IMAGES].to(machine.device)
    return accuracy(predict(model, pixels, machine=machine), labels)


@dataclasses.dataclass(frozen=True)
class Units:
    """What ReLUs are given, by layer: mean and deviation of each channel or neuron (units,)."""

    means: dict[str, Tensor]
    deviations: dict[str, Tensor]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A network at one step: what its ReLUs are given, its gradients, its loss around it."""

    units: Units
    dead: dict[str, float]
    inactive: dict[str, float]
    gradient_norms: dict[str, float]
    landscape: dict[str, float]


def measure(model: nn.Module, images: Tensor, labels: Tensor, sizes: Sequence[float]) -> Seen:
    """Measure a network in training mode, and leave it and the random numbers alone."""
    with torch.random.fork_rng():
        given = relu_inputs(model, images)
        _, gradient = loss_and_gradient(model, images, labels)
        norms = {
            name.removesuffix(".weight"): float(part.norm())
            for name, part in gradient.items()
            if name.endswith(".weight") and "norm" not in name
        }
        return Seen(
            units=_describe(given),
            dead={name: dead_share(values) for name, values in given.items()},
            inactive={name: (values <= 0).double().mean().item() for name, values in given.items()},
            gradient_norms=norms,
            landscape=landscape(model, images, labels, sizes),
        )


def units(model: nn.Module, images: Tensor) -> Units:
    """What the ReLUs of a network are given, which is left alone."""
    with torch.random.fork_rng():
        return _describe(relu_inputs(model, images))


def _describe(given: dict[str, Tensor]) -> Units:
    by_unit = {name: values.transpose(0, 1).flatten(1) for name, values in given.items()}
    return Units(
        means={name: values.mean(1) for name, values in by_unit.items()},
        deviations={name: values.std(1) for name, values in by_unit.items()},
    )


@torch.no_grad()
def relu_inputs(model: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """What the ReLU after each layer is given, (batch, units, ...), in training mode, of a copy."""
    model = copy.deepcopy(model)
    given: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: given.update({name: output.detach()})

    for module, layer in INPUTS.items():
        model.get_submodule(module).register_forward_hook(keep(layer))
    model.train()(images)
    return given


def dead_share(values: Tensor) -> float:
    """Share of the units that no image makes positive; what is not a number is not positive."""
    return (~(values > 0).transpose(0, 1).flatten(1).any(1)).double().mean().item()


def loss_and_gradient(
    model: nn.Module, images: Tensor, labels: Tensor
) -> tuple[float, dict[str, Tensor]]:
    """Cross-entropy in training mode, and its gradient by each parameter, on a copy.

    Noise, where the network makes any, is the same at each call.
    """
    model = copy.deepcopy(model).train()
    torch.manual_seed(0)
    named = dict(model.named_parameters())
    loss = F.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, list(named.values()))
    return loss.item(), dict(zip(named, gradients, strict=True))


def landscape(
    model: nn.Module, images: Tensor, labels: Tensor, sizes: Sequence[float]
) -> dict[str, float]:
    """How loss and gradient change along the gradient (Santurkar et al. 2018, section 3.1).

    `loss_low` and `loss_high` are the extremes over the step sizes; `gradient_change` is the
    largest distance between the gradient there and here; `smoothness` is the largest ratio of
    that distance to the length of the step, an effective Lipschitz constant of the gradient.
    """
    _, gradient = loss_and_gradient(model, images, labels)
    length = _distance(gradient, None)
    losses, changes = [], []
    for size in sizes:
        moved = copy.deepcopy(model)
        with torch.no_grad():
            for name, weights in moved.named_parameters():
                weights.sub_(size * gradient[name])
        loss, there = loss_and_gradient(moved, images, labels)
        losses.append(_finite(loss))
        changes.append(_finite(_distance(there, gradient)))
    ratios = [
        change / max(size * length, 1e-12) for size, change in zip(sizes, changes, strict=True)
    ]
    return {
        "loss_low": min(losses),
        "loss_high": max(losses),
        "gradient_change": max(changes),
        "smoothness": _finite(max(ratios)),
    }


def _distance(one: dict[str, Tensor], other: dict[str, Tensor] | None) -> float:
    """Euclidean, over all parameters; from nothing, the length."""
    squares = [
        float((part - other[name] if other else part).square().sum()) for name, part in one.items()
    ]
    return math.sqrt(math.fsum(squares)) if all(map(math.isfinite, squares)) else LARGEST


def _finite(value: float) -> float:
    return min(value, LARGEST) if math.isfinite(value) else LARGEST


def over_time(
    probes: Sequence[Seen], next_steps: Sequence[Units]
) -> dict[str, dict[str, list[float]]]:
    """By layer, each measurement over the training.

    Drift is from one probe to the next; `step_drift`, of the means over a single step.
    """
    layers: dict[str, dict[str, list[float]]] = {}
    for layer in probes[0].units.means:
        drifts = [drift(one.units, other.units, layer) for one, other in pairwise(probes)]
        single = [
            drift(probe.units, after, layer)
            for probe, after in zip(probes, next_steps, strict=False)
        ]
        layers[layer] = {
            "mean_drift": [mean for mean, _ in drifts],
            "scale_drift": [scale for _, scale in drifts],
            "step_drift": [mean for mean, _ in single],
            "dead": [probe.dead[layer] for probe in probes],
            "inactive": [probe.inactive[layer] for probe in probes],
        }
    for layer in probes[0].gradient_norms:
        norms = [_finite(probe.gradient_norms[layer]) for probe in probes]
        layers.setdefault(layer, {})["gradient_norm"] = norms
    return layers


def drift(earlier: Units, later: Units, layer: str) -> tuple[float, float]:
    """How far the means of units moved, in their mean deviation; and their deviations, in logs."""
    before, after = (one.deviations[layer].clamp(min=1e-6) for one in (earlier, later))
    moved = (later.means[layer] - earlier.means[layer]).abs().mean() / before.mean()
    return _finite(float(moved)), _finite(float((after / before).log().abs().mean()))


def _columns(rows: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}

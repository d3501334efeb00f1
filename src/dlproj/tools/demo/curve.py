"""A training of a curve as the page of `dlproj demo` shows it: the fit after every epoch."""

from typing import Any

import torch
from torch import Tensor

from dlproj.data.regression import FUNCTIONS, Curve, Points, load_curve
from dlproj.experiments.regression import half_mse, make_batches, make_training, steps
from dlproj.settings import RegressionConfig
from dlproj.training.device import choose_machine
from dlproj.training.loop import predict

SNAPSHOTS = 100  # fits that are kept, beside the one before the first epoch
PLACES = 129  # of the curve that are drawn
SHOWN = 300  # of the user's own points, at most


def curve_history(config: RegressionConfig) -> dict[str, Any]:
    """Train again as a run was trained, and keep how the curve was learnt.

    Returns:
        `fits` at the places `x`, before the first epoch and after each of `epochs`, with the
        `losses` on the test points (half the mean squared error); and the points to fit.
    """
    curve = load_curve(config.function, config.data)
    machine = choose_machine(config.device, config.precision, config.threads)
    batches = make_batches(config, curve, machine.device)
    training = make_training(config, curve, machine.device, len(batches))
    x = _places(curve)
    history: dict[str, list[Any]] = {"epochs": [], "fits": [], "losses": []}

    def outputs(inputs: Tensor) -> Tensor:
        made = predict(training.model, inputs.to(batches.inputs), machine=machine)
        return made.cpu().double()

    def look(epoch: int) -> None:
        history["epochs"].append(epoch)
        history["fits"].append(_rounded(outputs(x)))
        loss = half_mse(outputs(curve.test.x) - curve.test.y)
        history["losses"].append(float(f"{loss:.4g}"))

    look(0)
    every = max(1, config.epochs // SNAPSHOTS)
    for step in steps(config, training, batches, machine):
        if step.ends_epoch and (step.epoch % every == 0 or step.epoch == step.epochs):
            look(step.epoch)
    points = _shown(config, curve, x)
    return {
        **history,
        "name": curve.name,
        "function": config.function if config.data is None else None,
        "x": _rounded(x),
        "points": {"x": _rounded(points.x), "y": _rounded(points.y)},
        "lr": config.lr,
        "activation": config.activation,
        "optimizer": config.optimizer,
    }


def _places(curve: Curve) -> Tensor:
    """Even places (places, 1) over all inputs."""
    low, high = curve.train.x.min().item(), curve.train.x.max().item()
    return torch.linspace(low, high, PLACES, dtype=torch.float64)[:, None]


def _shown(config: RegressionConfig, curve: Curve, x: Tensor) -> Points:
    """The function at the places that are drawn, or some of the user's own points."""
    if config.data is None:
        return Points(x, FUNCTIONS[config.function](x))
    train = curve.train
    every = -(-len(train.x) // SHOWN)
    return Points(train.x[::every], train.y[::every])


def _rounded(column: Tensor) -> list[float]:
    return [float(f"{value:.5g}") for value in column[:, 0].tolist()]

"""Least squares to the last digits, for networks of few weights.

Gradient descent leaves a curve off by a thousandth; the Levenberg-Marquardt method (Levenberg
1944, Marquardt 1963) uses the derivative of each residual by each weight, and is done in a
hundred steps.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from dlproj.errors import DivergedError
from dlproj.interrupts import interrupts
from dlproj.training.loop import Step, Training

TRIES = 12  # of a damping, each three times the last, before the step is given up


class LevenbergMarquardt(torch.optim.Optimizer):
    """One damped Gauss-Newton step at a time, on all points at once.

    Args:
        params: the weights of `model`, in double precision.
        model: takes inputs (points, 1) to outputs (points, 1).
        damping: at the start; it shrinks while steps succeed.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], model: nn.Module, *, damping: float = 1e-2
    ) -> None:
        # The rate is there for the schedule alone. In `param_groups`, a checkpoint keeps the
        # damping.
        super().__init__(params, {"lr": 1.0, "damping": damping})
        self.model = model

    @torch.no_grad()
    def step_towards(self, inputs: Tensor, targets: Tensor) -> float:
        """Take one step. Returns the mean squared error before it."""
        group = self.param_groups[0]
        weights = nn.utils.parameters_to_vector(group["params"])
        residuals = (self.model(inputs) - targets)[:, 0]
        error = residuals.square().mean()
        if not error.isfinite():
            return float(error.item())
        jacobian = self._jacobian(inputs)
        # Near the weights the residuals are linear: r - J·step. Least squares of that solves
        # (JᵀJ + damping·I)·step = Jᵀr. Much damping is a short step down the gradient, little is
        # a whole step of Gauss and Newton.
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ residuals
        identity = torch.eye(len(weights), dtype=normal.dtype, device=normal.device)
        for _ in range(TRIES):
            damped = normal + group["damping"] * identity
            step = torch.linalg.solve(damped, gradient)
            nn.utils.vector_to_parameters(weights - step, group["params"])
            if (self.model(inputs) - targets).square().mean() < error:
                # It worked: trust the straight line more, but never quite, as JᵀJ alone may be
                # singular.
                group["damping"] = max(group["damping"] / 4, 1e-15)
                return float(error.item())
            # Too far for a straight line: shorter, and turned down the gradient.
            group["damping"] *= 3
        nn.utils.vector_to_parameters(weights, group["params"])
        return float(error.item())

    def _jacobian(self, inputs: Tensor) -> Tensor:
        """Derivatives of the outputs by the weights: (points, weights)."""
        weights: dict[str, Tensor] = dict(self.model.named_parameters())

        def output(weights: dict[str, Tensor], point: Tensor) -> Tensor:
            value: Tensor = functional_call(self.model, weights, (point[None],))
            return value[0, 0]

        # `grad` gives one output's derivatives, and `vmap` those of all points at once: (points,
        # ...).
        derivatives = vmap(grad(output), (None, 0))(weights, inputs)
        return torch.cat([derivatives[name].flatten(1) for name in weights], dim=1)


def fit_least_squares(
    training: Training, inputs: Tensor, targets: Tensor, *, epochs: int
) -> Iterator[Step]:
    """The counterpart of `loop.fit` for a training whose optimizer is `LevenbergMarquardt`."""
    optimizer: Any = training.optimizer
    step_towards: Callable[[Tensor, Tensor], float] = optimizer.step_towards
    while training.step < epochs:
        loss = step_towards(inputs, targets)
        if not math.isfinite(loss):
            raise DivergedError(training.step + 1, 1.0)
        training.step += 1
        yield Step(
            step=training.step,
            steps=epochs,
            epoch=training.step,
            epochs=epochs,
            lr=1.0,
            loss=loss,
            score=None,
            examples=len(targets),
            interrupted=interrupts.pending is not None,
        )

"""Levenberg-Marquardt: each step against the damped normal equations, solved by numpy."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlproj.errors import DivergedError
from dlproj.training.least_squares import LevenbergMarquardt, fit_least_squares
from dlproj.training.loop import Training
from dlproj.training.schedule import make_schedule


def wave(points: int = 30) -> tuple[Tensor, Tensor]:
    x = torch.linspace(-2, 2, points, dtype=torch.float64)[:, None]
    return x, torch.sin(2 * x) + 0.5


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()


def error(model: nn.Module, x: Tensor, y: Tensor) -> float:
    return (model(x) - y).square().mean().item()


def vector(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def jacobian(model: nn.Module, x: Tensor) -> Tensor:
    """A row of derivatives for each point, by one backward pass each."""
    rows = []
    for point in x:
        slopes = torch.autograd.grad(model(point[None])[0, 0], list(model.parameters()))
        rows.append(torch.cat([slope.flatten() for slope in slopes]))
    return torch.stack(rows)


def test_each_step_solves_the_damped_normal_equations() -> None:
    model, (x, y), damping = network(), wave(), 1e-2
    optimizer = LevenbergMarquardt(model.parameters(), model)
    for _ in range(8):
        assert optimizer.param_groups[0]["damping"] == pytest.approx(damping)
        before, weights, copied = error(model, x, y), vector(model), copy.deepcopy(model)
        slopes = jacobian(copied, x).numpy()
        residuals = (copied(x) - y).detach().numpy()[:, 0]
        for _ in range(12):
            matrix = slopes.T @ slopes + damping * np.eye(len(weights))
            step = np.linalg.solve(matrix, slopes.T @ residuals)
            expected = weights - torch.from_numpy(step)
            nn.utils.vector_to_parameters(expected, list(copied.parameters()))
            if error(copied, x, y) < before:
                damping /= 4
                break
            damping *= 3
        assert optimizer.step_towards(x, y) == pytest.approx(before)
        torch.testing.assert_close(vector(model), expected, rtol=1e-7, atol=1e-9)
    assert error(model, x, y) < 0.01


def test_a_straight_line_is_found_at_once() -> None:
    model = nn.Linear(1, 1).double()
    optimizer = LevenbergMarquardt(model.parameters(), model, damping=1e-12)
    x = torch.tensor([[0.0], [1.0], [2.0]]).double()
    optimizer.step_towards(x, torch.tensor([[1.0], [3.0], [4.0]]).double())
    assert vector(model).tolist() == pytest.approx([1.5, 7 / 6])  # the least squares by hand
    assert optimizer.param_groups[0]["damping"] == pytest.approx(2.5e-13)
    for _ in range(20):
        optimizer.step_towards(x, 5 - x)
    assert optimizer.param_groups[0]["damping"] >= 1e-15


def test_where_no_step_is_down_the_weights_stay_and_the_damping_has_grown() -> None:
    model = nn.Linear(1, 1).double()
    x = torch.tensor([[0.0], [1.0]]).double()
    with torch.no_grad():
        y = model(x).clone()
    before = vector(model)
    optimizer = LevenbergMarquardt(model.parameters(), model)
    assert optimizer.step_towards(x, y) == 0
    assert torch.equal(vector(model), before)
    assert optimizer.param_groups[0]["damping"] == pytest.approx(1e-2 * 3**12)
    assert optimizer.param_groups[0]["lr"] == 1


def started(model: nn.Module) -> Training:
    optimizer = LevenbergMarquardt(model.parameters(), model)
    return Training(model, optimizer, make_schedule("constant", optimizer, 5))


def test_a_fit_goes_on_from_where_it_stands() -> None:
    model, (x, y) = network(), wave()
    training = started(model)
    training.step = 2
    errors = [error(model, x, y)]
    for number, step in enumerate(fit_least_squares(training, x, y, epochs=5), 3):
        assert (step.step, step.epoch, training.step) == (number, number, number)
        assert (step.steps, step.epochs, step.lr, step.score, step.examples) == (5, 5, 1, None, 30)
        assert step.loss == pytest.approx(errors[-1])
        assert step.ends_epoch
        errors.append(error(model, x, y))
    assert training.step == 5
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == 4


def test_an_error_that_is_not_finite_leaves_the_weights() -> None:
    model, (x, y) = network(), wave()
    training, before = started(model), vector(model)
    training.step = 3
    with pytest.raises(DivergedError, match="at step 4 "):
        next(fit_least_squares(training, x, y / 0, epochs=5))
    assert torch.equal(vector(model), before)

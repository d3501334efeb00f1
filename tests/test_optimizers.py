"""Optimisers without torch's compiler take the same steps."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dlproj.training.optimizers import make_optimizer, without_compiler


def trained(kind: type[torch.optim.Optimizer]) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = kind(model.parameters(), lr=0.1, weight_decay=0.01)  # type: ignore[call-arg]
    for inputs in torch.rand(5, 4, 3):
        optimizer.zero_grad()
        model(inputs).square().sum().backward()
        optimizer.step()
    return model, optimizer


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_the_steps_are_torchs_own(kind: type[torch.optim.Optimizer]) -> None:
    model, optimizer = trained(kind)
    same, other = trained(without_compiler(kind))
    for one, two in zip(model.parameters(), same.parameters(), strict=True):
        assert torch.equal(one, two)
    assert str(optimizer.state_dict()) == str(other.state_dict())
    other.load_state_dict(optimizer.state_dict())


def slopes(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return list(torch.randn(count, 4, generator=generator, dtype=torch.float64))


class Weights(nn.Module):
    """Four ones."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(4, dtype=torch.float64))


def after(name: str, **given: Any) -> torch.Tensor:
    """The weights after a step along each slope, by the optimiser that settings name."""
    model = Weights()
    optimizer = make_optimizer(name, model, **given)
    for slope in slopes(6):
        model.weights.grad = slope.clone()
        optimizer.step()
    return model.weights.detach()


@pytest.mark.parametrize(("momentum", "decay"), [(0.9, 0.01), (0.5, 0.1), (0.0, 0.0)])
def test_sgd_is_the_textbooks(momentum: float, decay: float) -> None:
    """Decay is added to the slope, and momentum keeps a share of the last step."""
    expected, velocity = torch.ones(4).double(), torch.zeros(4).double()
    for slope in slopes(6):
        velocity = momentum * velocity + slope + decay * expected
        expected = expected - 0.1 * velocity
    made = after("sgd", lr=0.1, momentum=momentum, weight_decay=decay)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("fused", [None, False, True])
@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.7, 0.95)])
@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_is_the_papers(name: str, beta1: float, beta2: float, fused: bool | None) -> None:
    """Kingma & Ba 2015, algorithm 1; with decoupled decay Loshchilov & Hutter 2019, algorithm 2."""
    expected, mean, square = (torch.full((4,), float(n)).double() for n in (1, 0, 0))
    for time, plain in enumerate(slopes(6), 1):
        decay = 0.05 * expected
        slope = plain if name == "adamw" else plain + decay
        mean = beta1 * mean + (1 - beta1) * slope
        square = beta2 * square + (1 - beta2) * slope**2
        step = mean / (1 - beta1**time) / ((square / (1 - beta2**time)).sqrt() + 1e-8)
        expected = expected - 0.1 * (step + (decay if name == "adamw" else 0))
    second = {} if beta2 == 0.999 else {"beta2": beta2}  # the paper's, and so the default
    made = after(name, lr=0.1, momentum=beta1, weight_decay=0.05, fused=fused, **second)
    torch.testing.assert_close(made, expected)
    optimizer = make_optimizer(
        name, Weights(), lr=0.1, momentum=beta1, weight_decay=0.05, fused=fused
    )
    assert optimizer.defaults["fused"] is fused


def test_a_training_does_not_import_the_compiler(tmp_path: Path) -> None:
    code = """
import sys
from dlproj.__main__ import main
try:
    main()
finally:
    assert "torch" in sys.modules
    assert "torch._dynamo" not in sys.modules
"""
    line = ["train-regression", "--epochs", "1", "--quiet", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", code, *line], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

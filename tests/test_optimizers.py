"""Optimisers without torch's compiler take the same steps."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from dlproj.training.optimizers import without_compiler


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


def after(optimizer: torch.optim.Optimizer, weights: nn.Parameter) -> torch.Tensor:
    """The weights after a step along each slope."""
    for slope in slopes(6):
        weights.grad = slope.clone()
        optimizer.step()
    return weights.detach()


def test_sgd_is_the_textbooks() -> None:
    """Decay is added to the slope, and momentum keeps a share of the last step."""
    weights = nn.Parameter(torch.ones(4, dtype=torch.float64))
    sgd = without_compiler(torch.optim.SGD)([weights], lr=0.1, momentum=0.9, weight_decay=0.01)
    expected, velocity = torch.ones(4).double(), torch.zeros(4).double()
    for slope in slopes(6):
        velocity = 0.9 * velocity + slope + 0.01 * expected
        expected = expected - 0.1 * velocity
    torch.testing.assert_close(after(sgd, weights), expected)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_is_the_papers(decoupled: bool) -> None:
    """Kingma & Ba 2015, algorithm 1; with decoupled decay Loshchilov & Hutter 2019, algorithm 2."""
    weights = nn.Parameter(torch.ones(4, dtype=torch.float64))
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    adam = without_compiler(kind)([weights], lr=0.1, weight_decay=0.05)
    expected, mean, square = (torch.full((4,), float(n)).double() for n in (1, 0, 0))
    for time, plain in enumerate(slopes(6), 1):
        decay = 0.05 * expected
        slope = plain if decoupled else plain + decay
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        step = mean / (1 - 0.9**time) / ((square / (1 - 0.999**time)).sqrt() + 1e-8)
        expected = expected - 0.1 * (step + (decay if decoupled else 0))
    torch.testing.assert_close(after(adam, weights), expected)


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

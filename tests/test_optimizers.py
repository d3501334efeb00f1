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

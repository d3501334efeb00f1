"""Columns that train side by side come to what they come to one after the other."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.batches import ShuffledBatches
from dlproj.models.digits import DeepCNN
from dlproj.training.device import Machine
from dlproj.training.loop import Training, accuracy, fit
from dlproj.training.schedule import make_schedule


def trained(threads: int, precision: str = "fp32") -> dict[str, Tensor]:
    """Weights, running statistics and losses after a few steps; the last batch is short."""
    torch.manual_seed(0)
    kind = torch.float64 if precision == "fp32" else torch.float32
    model = DeepCNN(classes=3).to(kind)
    images = torch.randn(31, 1, 28, 28).to(kind)
    batches = ShuffledBatches(images, torch.arange(31) % 3, batch_size=9, seed=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    training = Training(model, optimizer, make_schedule("linear", optimizer, 2 * len(batches)))
    machine = Machine(torch.device("cpu"), precision, threads)
    steps = fit(
        training, batches, loss_fn=F.cross_entropy, epochs=2, machine=machine, score=accuracy
    )
    losses = torch.tensor([[step.loss, step.score or 0] for step in steps])
    return {**model.state_dict(), "losses": losses}


@pytest.mark.parametrize("threads", [2, 5])
def test_side_by_side_is_one_after_the_other(threads: int) -> None:
    """Dropout draws for every column what it would have drawn alone."""
    alone, together = trained(1), trained(threads)
    assert together.keys() == alone.keys()
    for name, expected in alone.items():
        torch.testing.assert_close(together[name], expected, rtol=1e-12, atol=1e-13, msg=name)


def test_the_same_bits_each_time() -> None:
    one, other = (trained(2, precision="bf16") for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_sixteen_bits_reach_the_threads() -> None:
    """Their outputs are as coarse as those of one thread, and not exact."""
    exact, coarse = (trained(2, precision=precision) for precision in ("fp32", "bf16"))
    assert not torch.allclose(coarse["losses"], exact["losses"], rtol=1e-5)
    torch.testing.assert_close(coarse["losses"], exact["losses"], rtol=0.05, atol=0.2)


def test_an_error_in_a_column_is_an_error_of_the_step() -> None:
    model = DeepCNN()
    forward = Machine(torch.device("cpu"), "fp32", 2).group.spread(model, 2)
    with pytest.raises(RuntimeError, match="channels"):
        forward(torch.zeros(0, 3, 28, 28))

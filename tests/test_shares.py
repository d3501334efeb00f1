"""One of several processes: what its share of a batch counts, and whom it asks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from dlproj.training.loop import Training, fit
from dlproj.training.parallel import Group
from dlproj.training.schedule import make_schedule
from dlproj.training.shared_layers import Part
from tests.support.machine import MACHINE


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    """A process that can take itself for one of several: sums are its own."""
    dist.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


class OneBatch:
    """Five examples at a time."""

    inputs = torch.arange(10.0).view(5, 2).double()
    targets = torch.tensor([[1.0], [-2.0], [4.0], [0.5], [3.0]]).double()

    def __len__(self) -> int:
        return 1

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        yield self.inputs, self.targets


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("rank", "own"), [(0, slice(0, 3)), (1, slice(3, 5))])
def test_an_example_counts_a_fifth_of_five_in_whichever_share_it_is(rank: int, own: slice) -> None:
    """The mean over two processes halves their gradients, and so each is twice its part."""
    model = nn.Linear(2, 1, bias=False).double()
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.25)
    training = Training(model, optimizer, make_schedule("constant", optimizer, 1))
    machine = replace(MACHINE, group=Group(rank, 2))
    batches, loss = OneBatch(), nn.functional.mse_loss
    (step,) = fit(training, batches, loss_fn=loss, epochs=1, machine=machine)
    # Of (w·x - y)² at 0 the slope is -2 y x; there is no other process to halve it.
    slopes = -2 * batches.targets[own] * batches.inputs[own]
    torch.testing.assert_close(model.weight.detach()[0], -0.25 * 2 * slopes.sum(0) / 5)
    assert step.loss == pytest.approx(batches.targets[own].square().sum().item() / 5)
    assert step.examples == 5


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("handle", [None, "the team of a column"])
def test_a_part_adds_up_over_those_who_share_it(
    handle: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    done = SimpleNamespace(is_completed=lambda: True, wait=lambda: asked.append("waited"))

    def all_reduce(values: Tensor, **options: Any) -> Any:
        asked.append((values.tolist(), options))
        return done

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    Part(2, range(2, 4), handle).add(torch.tensor([1.0, 2.0]))
    assert asked == [([1, 2], {"group": handle, "async_op": True}), "waited"]

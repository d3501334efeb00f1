"""One of several processes: what its share of a batch counts, and whom it asks."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from dlproj.models.digits import DeepCNN
from dlproj.training.columns import Columns
from dlproj.training.loop import Training, fit
from dlproj.training.parallel import Group
from dlproj.training.schedule import make_schedule
from dlproj.training.shared_layers import GlobalBatchNorm2d, GlobalDropout, Part, wait
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


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("size", "teams"),
    [
        (2, [(0, 1), (1, 2)]),
        (3, [(0, 3), (0, 3)]),  # no multiple of two: all share in each
        (4, [(0, 2), (2, 4)]),
    ],
)
def test_processes_are_divided_among_the_columns(
    size: int, teams: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dist, "new_group", lambda ranks: f"the group of {ranks}")
    model, group = DeepCNN(), Group(1, size)
    spread: Any = group.spread(model, 1)
    assert isinstance(spread.module, Columns)
    for column, part, team in zip(model.columns, group.parts, teams, strict=True):
        assert part.ranks == range(*team)
        assert part.handle == (None if size == 3 else f"the group of {[*range(*team)]}")
        own = [module.part for module in column.modules() if isinstance(module, GlobalDropout)]
        assert [each is part for each in own] == [True]
        # One process alone has torch's own statistics of its examples.
        shared = any(isinstance(module, GlobalBatchNorm2d) for module in column.modules())
        assert shared == (size > 2)


@pytest.mark.usefixtures("alone")
def test_a_network_without_columns_is_spread_as_it_is() -> None:
    model = nn.Linear(2, 1)
    spread: Any = Group(0, 2).spread(model, 1)
    assert spread.module is model
    assert isinstance(Group().spread(DeepCNN(), 1), Columns)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("backend", "yields"), [("gloo", True), ("gloo", False), ("nccl", True)])
def test_only_gloo_is_asked_over_and_over_and_not_on_windows(
    backend: str, yields: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(dist, "get_backend", lambda: backend)
    monkeypatch.setattr(os, "sched_yield", lambda: asked.append("yield"), raising=False)
    if not yields:
        monkeypatch.delattr(os, "sched_yield")
    done = iter([False, False, True])
    work: Any = SimpleNamespace(
        is_completed=lambda: next(done), wait=lambda: asked.append("waited")
    )
    wait(work)
    assert asked == [*["yield"] * (2 if backend == "gloo" and yields else 0), "waited"]

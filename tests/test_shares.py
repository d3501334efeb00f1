"""One of several processes: what its share of a batch counts, and whom it asks."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from dlproj.errors import DlprojError
from dlproj.models.digits import DeepCNN
from dlproj.training import parallel
from dlproj.training.all_reduce import SocketAllReduce
from dlproj.training.columns import Columns
from dlproj.training.loop import Training, fit
from dlproj.training.parallel import Group
from dlproj.training.schedule import make_schedule
from dlproj.training.shared_layers import GlobalBatchNorm2d, GlobalDropout, Part
from tests.support.machine import MACHINE


class OneBatch:
    """Five examples at a time."""

    inputs = torch.arange(10.0).view(5, 2).double()
    targets = torch.tensor([[1.0], [-2.0], [4.0], [0.5], [3.0]]).double()

    def __len__(self) -> int:
        return 1

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        yield self.inputs, self.targets


@pytest.mark.parametrize(("rank", "own"), [(0, slice(0, 3)), (1, slice(3, 5))])
def test_an_example_counts_a_fifth_of_five_in_whichever_share_it_is(rank: int, own: slice) -> None:
    model = nn.Linear(2, 1, bias=False).double()
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.25)
    training = Training(model, optimizer, make_schedule("constant", optimizer, 1))
    machine = replace(MACHINE, group=Group(rank, 2))
    batches, loss = OneBatch(), nn.functional.mse_loss
    (step,) = fit(training, batches, loss_fn=loss, epochs=1, machine=machine)
    # Of (w·x - y)² at 0 the slope is -2 y x; there is no other process to add anything.
    slopes = -2 * batches.targets[own] * batches.inputs[own]
    torch.testing.assert_close(model.weight.detach()[0], -0.25 * slopes.sum(0) / 5)
    assert step.loss == pytest.approx(batches.targets[own].square().sum().item() / 5)
    assert step.examples == 5


def test_a_part_adds_up_over_those_who_share_it() -> None:
    asked: list[Any] = []

    def begin(values: Tensor) -> Any:
        asked.append(values.tolist())
        return lambda: asked.append("waited")

    together: Any = SimpleNamespace(begin=begin)
    Part(2, range(2, 4), together).add(torch.tensor([1.0, 2.0]))
    assert asked == [[1, 2], "waited"]


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
    asked = []

    def connect(_: object, name: str, rank: int, ranks: range) -> SocketAllReduce:
        asked.append((name, rank, ranks))
        return SocketAllReduce(rank, {})

    monkeypatch.setattr(parallel, "connect", connect)
    monkeypatch.setattr(Group, "first", lambda _, data: data)
    monkeypatch.setattr(dist, "broadcast", lambda *_: None)
    monkeypatch.setattr(dist, "barrier", lambda: None)
    store: Any = "where they meet"
    model, group = DeepCNN(), Group(1, size, store)
    assert isinstance(group.spread(model, 1), Columns)
    # Each column has connections of its own, where others share it.
    meetings = [("meeting 2", range(*teams[0])), ("meeting 3", range(*teams[1]))]
    joined = [(name, 1, team) for name, team in meetings if 1 in team and size > 2]
    assert asked == [("meeting 1", 1, range(size)), *joined]
    for column, part, team in zip(model.columns, group.parts, teams, strict=True):
        assert part.ranks == range(*team)
        own = [module.part for module in column.modules() if isinstance(module, GlobalDropout)]
        assert [each is part for each in own] == [True]
        # One process alone has torch's own statistics of its examples.
        shared = any(isinstance(module, GlobalBatchNorm2d) for module in column.modules())
        assert shared == (size > 2)


def test_processes_begin_with_the_weights_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(weights: Tensor, source: int) -> None:
        assert source == 0
        weights.fill_(7)

    monkeypatch.setattr(parallel, "connect", lambda *_: SocketAllReduce(1, {}))
    monkeypatch.setattr(Group, "first", lambda _, data: data)
    monkeypatch.setattr(dist, "broadcast", send)
    monkeypatch.setattr(dist, "barrier", lambda: None)
    store: Any = "where they meet"
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm2d(1))
    Group(1, 2, store).spread(model, 1)
    assert all((value == 7).all() for value in model.state_dict().values())


def test_processes_with_other_networks_do_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Group, "first", lambda _, __: b"[torch.Size([3, 1])]")
    store: Any = "where they meet"
    with pytest.raises(DlprojError, match="same data and settings"):
        Group(1, 2, store).spread(nn.Linear(2, 1), 1)


def test_the_connections_of_an_earlier_training_end(monkeypatch: pytest.MonkeyPatch) -> None:
    group, closed = Group(0, 2), list[SocketAllReduce]()

    def close(self: SocketAllReduce) -> None:
        closed.append(self)

    monkeypatch.setattr(SocketAllReduce, "close", close)
    group.spread(nn.Linear(2, 1), 1)
    first = [*group.connected]
    assert not closed
    group.spread(nn.Linear(2, 1), 1)
    assert closed == first
    assert len(group.connected) == 2
    group.close()
    assert len(closed) == 4


def test_a_network_without_columns_is_spread_as_it_is() -> None:
    model = nn.Linear(2, 1)
    assert Group(0, 2).spread(model, 1) is model
    assert isinstance(Group().spread(DeepCNN(), 1), Columns)

"""Processes that add up tensors by sockets; here each is a thread with the same sockets."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from dlproj.errors import DlprojError, LostProcessError
from dlproj.training import all_reduce
from dlproj.training.all_reduce import DeviceAllReduce, Peer, SocketAllReduce, connect

Processes = list[SocketAllReduce]


class Store:
    """Where processes leave their addresses: a dictionary that waits for its keys."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.changed = threading.Condition()

    def set(self, key: str, value: str) -> None:
        with self.changed:
            self.kept[key] = value
            self.changed.notify_all()

    def get(self, key: str) -> bytes:
        with self.changed:
            assert self.changed.wait_for(lambda: key in self.kept, timeout=20)
            return self.kept[key].encode()


def together(processes: Processes, work: Callable[[SocketAllReduce], Any]) -> list[Any]:
    """What each makes of the work, all at once, in the order of ranks."""
    with ThreadPoolExecutor(len(processes)) as pool:
        return [*pool.map(work, processes)]


@pytest.fixture
def make() -> Iterator[Callable[[int], Processes]]:
    """Processes that are connected with each other."""
    made: Processes = []

    def start(count: int) -> Processes:
        links: list[dict[int, Peer]] = [{} for _ in range(count)]
        for one, other in combinations(range(count), 2):
            for rank, with_whom, end in zip(
                (one, other), (other, one), socket.socketpair(), strict=True
            ):
                end.setblocking(False)
                links[rank][with_whom] = Peer(end)
        made.extend(SocketAllReduce(rank, peers) for rank, peers in enumerate(links))
        return made[-count:]

    yield start
    for process in made:
        process.close()


def values_of(rank: int, size: tuple[int, ...]) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(rank))


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("size", [(), (0,), (1,), (2, 33), (50_000,), (7, 5, 1001)])
def test_all_have_the_sum_in_the_order_of_ranks(
    count: int, size: tuple[int, ...], make: Callable[[int], Processes]
) -> None:
    def add(process: SocketAllReduce) -> Tensor:
        own = values_of(process.rank, size)
        process.begin(own)()
        return own

    expected = torch.zeros(size)
    for rank in range(count):
        expected += values_of(rank, size)
    for found in together(make(count), add):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64])
def test_numbers_of_every_type(dtype: torch.dtype, make: Callable[[int], Processes]) -> None:
    def add(process: SocketAllReduce) -> list[Tensor]:
        small, large = torch.ones(2, dtype=dtype), torch.full((70_000,), 2, dtype=dtype)
        process.begin(small)()
        process.begin(large)()
        return [small.unique(), large.unique()]

    for small, large in together(make(2), add):
        assert (small.tolist(), large.tolist()) == ([2], [4])
        assert small.dtype == large.dtype == dtype


def test_a_sum_may_be_waited_for_after_later_ones(make: Callable[[int], Processes]) -> None:
    def add(process: SocketAllReduce) -> list[float]:
        first, second, large = torch.ones(1), torch.full((3,), 10.0), torch.full((90_000,), 100.0)
        wait = process.begin(first)
        process.begin(second)()
        process.begin(large)()
        wait()
        return [first.item(), second.mean().item(), large.mean().item()]

    assert together(make(3), add) == [[3, 30, 300]] * 3


def test_no_large_tensor_leaves_a_process_whole(make: Callable[[int], Processes]) -> None:
    """Of four processes, each sends a quarter to three others, twice: 1.5 times the whole."""
    processes, sent = make(4), []
    for process in processes:
        for peer in process.peers.values():
            exchange = peer.exchange

            def note(out: Tensor, into: Tensor, exchange: Any = exchange) -> None:
                sent.append(out.nbytes)
                exchange(out, into)

            peer.exchange = note  # type: ignore[method-assign]
    together(processes, lambda process: process.begin(torch.ones(40_000))())
    assert sent == [40_000] * (4 * 3 * 2)


def test_a_process_alone_has_the_sum_already() -> None:
    values = torch.tensor([2.0])
    SocketAllReduce(3, {}).begin(values)()
    assert values.item() == 2


@pytest.mark.parametrize("size", [4, 100_000])
def test_a_process_that_has_ended_is_missed(size: int, make: Callable[[int], Processes]) -> None:
    first, second = make(2)
    second.close()
    with pytest.raises(LostProcessError):
        first.begin(torch.ones(size))()
    with pytest.raises(LostProcessError):
        first.begin(torch.ones(size))()


@pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError, TimeoutError, OSError])
def test_a_broken_connection_is_a_lost_process(error: type[OSError]) -> None:
    def recv_into(_: object) -> int:
        raise error

    def send(given: memoryview) -> int:
        return len(given)

    line: Any = SimpleNamespace(recv_into=recv_into, send=send)
    with pytest.raises(LostProcessError):
        SocketAllReduce(0, {1: Peer(line)}).begin(torch.ones(2))()


def test_a_process_is_not_waited_for_without_end(
    make: Callable[[int], Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_reduce, "PATIENCE", 0.2)
    first, _ = make(2)
    with pytest.raises(LostProcessError):
        first.begin(torch.ones(4))()


@pytest.mark.parametrize("yields", [True, False])
def test_who_waits_leaves_the_core_to_others(yields: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(os, "sched_yield", lambda: asked.append("yield"), raising=False)
    monkeypatch.setattr(time, "sleep", asked.append)
    if not yields:
        monkeypatch.delattr(os, "sched_yield")
    all_reduce._give_way()
    assert asked == ["yield" if yields else 0]


def on_one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    monkeypatch.setenv("WORLD_SIZE", "3")


@pytest.mark.parametrize("ranks", [range(3), range(1, 3)])
def test_processes_find_each_other(ranks: range, monkeypatch: pytest.MonkeyPatch) -> None:
    on_one_machine(monkeypatch)
    store: Any = Store()

    def work(rank: int) -> float:
        process, own = connect(store, "here", rank, ranks), torch.tensor([10.0**rank])
        process.begin(own)()
        process.close()
        return own.item()

    with ThreadPoolExecutor(3) as pool:
        assert {*pool.map(work, ranks)} == {sum(10.0**rank for rank in ranks)}
    assert {value.split()[0] for value in store.kept.values()} == {"127.0.0.1"}


def test_a_process_that_is_gone_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    on_one_machine(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    store: Any = Store()
    store.set("here 0", f"127.0.0.1 {port}")
    with pytest.raises(LostProcessError):
        connect(store, "here", 1, range(2))


def test_a_machine_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    on_one_machine(monkeypatch)

    def create_connection(*_: object, **__: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "create_connection", create_connection)
    store: Any = Store()
    store.set("here 0", "10.9.8.7 1234")
    with pytest.raises(DlprojError, match=r"at 10\.9\.8\.7: No route to host"):
        connect(store, "here", 1, range(2))


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1", (7).to_bytes(4), (0).to_bytes(4), None])
def test_a_caller_who_is_none_of_them_is_not_taken_for_one(
    said: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_one_machine(monkeypatch)
    monkeypatch.setattr(all_reduce, "INTRODUCTION", 0.3)
    store: Any = Store()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(connect, store, "here", 0, range(2))
        host, port = store.get("here 0").decode().split()
        with socket.create_connection((host, int(port))) as stranger:
            if said is not None:  # else it keeps silent, and the line open
                stranger.sendall(said)
                with suppress(OSError):  # it may have been turned away already
                    stranger.shutdown(socket.SHUT_WR)
            second = pool.submit(connect, store, "here", 1, range(2))
            for process in (first.result(timeout=20), second.result(timeout=20)):
                assert [*process.peers] == [1 - process.rank]
                process.close()


def test_a_process_that_never_calls_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    on_one_machine(monkeypatch)
    monkeypatch.setattr(all_reduce, "PATIENCE", 0.2)
    store: Any = Store()
    with pytest.raises(LostProcessError):
        connect(store, "here", 0, range(2))


@pytest.mark.parametrize(
    ("own", "found_at"),
    [
        ("10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "leader"),  # the leading machine, by the name that all know it by
        ("127.0.0.1", "leader"),  # which may lead to itself as 127.0.1.1
    ],
)
def test_over_machines_a_process_is_where_its_way_to_the_leader_begins(
    own: str, found_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    class Probe:
        def __init__(self, *kind: object) -> None:
            asked.append(kind)

        def __enter__(self) -> "Probe":
            return self

        def __exit__(self, *_: object) -> None:
            asked.append("closed")

        def connect(self, address: object) -> None:
            asked.append(address)

        def getsockname(self) -> tuple[str, int]:
            return own, 5555

    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("MASTER_ADDR", "leader")
    row = (socket.AF_INET, None, None, "", ("10.0.0.1", 1))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [row])
    monkeypatch.setattr(socket, "socket", Probe)
    assert all_reduce._addresses() == ("", found_at, socket.AF_INET)
    assert asked == [(socket.AF_INET, socket.SOCK_DGRAM), ("10.0.0.1", 1), "closed"]


def test_on_gpus_torch_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(dist, "new_group", lambda ranks: f"the group of {ranks}")

    def reduce(values: Tensor, **options: Any) -> Any:
        asked.append((values.tolist(), options))
        return SimpleNamespace(wait=lambda: asked.append("waited"))

    monkeypatch.setattr(dist, "all_reduce", reduce)
    group = DeviceAllReduce(range(2))
    wait = group.begin(torch.tensor([1.0]))
    assert asked == [([1], {"group": "the group of [0, 1]", "async_op": True})]
    wait()
    assert asked[1] == "waited"
    group.close()
    assert DeviceAllReduce(None).handle is None  # torch's group of all

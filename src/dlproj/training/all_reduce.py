"""All-reduce: processes add up tensors, and each of them then has the sum."""

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import Store

from dlproj.errors import DlprojError, LostProcessError

WHOLE = 65_536  # bytes up to which a tensor goes whole to every other process
PATIENCE = 1800.0  # seconds to wait for another process; as torch does
INTRODUCTION = 10.0  # seconds for a caller to say who it is


class AllReduce(Protocol):
    """What adds up tensors over processes, all of which ask for the same sums in the same order."""

    def begin(self, values: Tensor) -> Callable[[], None]:
        """Begin to add up in place.

        The function that comes back waits for the sum. The values are not to be used until then.
        """

    def close(self) -> None:
        """End the connections."""


class DeviceAllReduce:
    """By torch.distributed, for tensors on GPUs.

    Args:
        ranks: of the processes that add up; None for all.
    """

    def __init__(self, ranks: Sequence[int] | None) -> None:
        self.handle = dist.new_group([*ranks]) if ranks else None

    def begin(self, values: Tensor) -> Callable[[], None]:
        """As in AllReduce."""
        under_way: Any = dist.all_reduce(values, group=self.handle, async_op=True)
        wait: Callable[[], None] = under_way.wait
        return wait

    def close(self) -> None:
        """torch.distributed ends its connections by itself."""


@dataclass
class Peer:
    """The connection to one other process, and what is to go over it."""

    connection: socket.socket
    outgoing: deque[memoryview] = field(default_factory=deque)
    incoming: deque[memoryview] = field(default_factory=deque)
    expected: int = 0  # messages since the beginning
    received: int = 0

    def exchange(self, out: Tensor, into: Tensor) -> None:
        """Put a message in each direction behind those that are under way."""
        self.outgoing.append(_bytes(out))
        self.incoming.append(_bytes(into))
        self.expected += 1

    def advance(self) -> bool:
        """Send and receive what can be without waiting; whether that was anything."""
        moved = False
        try:
            with suppress(BlockingIOError):
                while self.outgoing:
                    _shorten(self.outgoing, self.connection.send(self.outgoing[0]))
                    moved = True
            with suppress(BlockingIOError):
                while self.incoming:
                    count = self.connection.recv_into(self.incoming[0])
                    if not count:
                        raise LostProcessError
                    self.received += _shorten(self.incoming, count)
                    moved = True
        except OSError:
            raise LostProcessError from None
        return moved


class SocketAllReduce:
    """By a socket between every two processes, for tensors on CPUs.

    A training step waits some ten times for a few hundred bytes. In gloo, torch's own way, each
    message passes through further threads, and these wait for cores that are all at work. Here the
    thread that computes sends and receives. Sums are in the order of ranks: the same everywhere.

    Of a large tensor, each process adds up one piece (reduce-scatter) and sends the sum to the
    others (all-gather), so that 2 (P - 1) / P of its bytes leave each of P processes (Thakur et al.
    2005).

    Args:
        rank: of this process.
        peers: the other processes, by rank.
    """

    def __init__(self, rank: int, peers: dict[int, Peer]) -> None:
        self.rank, self.peers = rank, peers
        self.ranks = sorted([rank, *peers])

    def begin(self, values: Tensor) -> Callable[[], None]:
        """As in AllReduce; the values lie on a CPU in one piece."""
        if not self.peers or not values.numel():
            return lambda: None
        if values.nbytes <= WHOLE:
            return self._add(values, dict.fromkeys(self.ranks, values))
        flat = values.view(-1)
        pieces = dict(zip(self.ranks, flat.tensor_split(len(self.ranks)), strict=True))
        own = pieces[self.rank]
        added = self._add(own, pieces)

        def wait() -> None:
            added()
            self._exchange({rank: (own, pieces[rank]) for rank in self.peers})()

        return wait

    def close(self) -> None:
        """End the connections."""
        for peer in self.peers.values():
            peer.connection.close()

    def _add(self, own: Tensor, shares: dict[int, Tensor]) -> Callable[[], None]:
        """Send each its share, and add what comes from them to what is this process's own."""
        received = {rank: torch.empty_like(own) for rank in self.peers}
        arrived = self._exchange({rank: (shares[rank], received[rank]) for rank in self.peers})

        def wait() -> None:
            arrived()
            total = received.get(self.ranks[0], own).clone()
            for rank in self.ranks[1:]:
                total += received.get(rank, own)
            own.copy_(total)

        return wait

    def _exchange(self, messages: dict[int, tuple[Tensor, Tensor]]) -> Callable[[], None]:
        """Begin to send the first of each pair and to receive the second, by rank."""
        for rank, (out, into) in messages.items():
            self.peers[rank].exchange(out, into)
        ends = [(peer, peer.expected) for peer in self.peers.values()]
        self._advance()

        def wait() -> None:
            deadline = time.monotonic() + PATIENCE
            while any(peer.outgoing or peer.received < end for peer, end in ends):
                if self._advance():
                    continue
                _give_way()
                if time.monotonic() > deadline:
                    raise LostProcessError

        return wait

    def _advance(self) -> bool:
        moved = [peer.advance() for peer in self.peers.values()]  # all of them
        return any(moved)


def connect(store: Store, name: str, rank: int, ranks: Iterable[int]) -> SocketAllReduce:
    """Connect this process to the others of some ranks.

    Args:
        store: where the processes leave their addresses.
        name: another one for each time that processes connect.
        rank: of this process, which is one of them.
        ranks: of all.
    """
    listen, found_at, family = _addresses()
    both_families = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    made: dict[int, socket.socket] = {}
    with (
        ExitStack() as unless_all,
        socket.create_server(
            (listen, 0), family=family, backlog=128, dualstack_ipv6=both_families
        ) as server,
    ):
        server.settimeout(PATIENCE)
        store.set(f"{name} {rank}", f"{found_at} {server.getsockname()[1]}")
        for other in (each for each in ranks if each < rank):
            host, port = store.get(f"{name} {other}").decode().rsplit(" ", 1)
            made[other] = unless_all.enter_context(_call(host, int(port), rank))
        awaited = {each for each in ranks if each > rank}
        while awaited:
            connection = _accept(server)
            said = _rank_of(connection)
            if said not in awaited:  # somebody else who found the port
                connection.close()
                continue
            awaited.remove(said)
            made[said] = unless_all.enter_context(connection)
        unless_all.pop_all()
    return SocketAllReduce(rank, {other: _peer(made[other]) for other in made})


def _addresses() -> tuple[str, str, socket.AddressFamily]:
    """Where to listen, where the others find this process, and the kind of both."""
    if os.environ["LOCAL_WORLD_SIZE"] == os.environ["WORLD_SIZE"]:
        return "127.0.0.1", "127.0.0.1", socket.AF_INET
    master = os.environ["MASTER_ADDR"]
    family, _, _, _, address = socket.getaddrinfo(master, 1, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address)  # sends nothing, but chooses the way
        own = probe.getsockname()[0]
    # A name that leads to this machine itself leads the others here as well.
    return "", master if own in {address[0], "127.0.0.1", "::1"} else own, family


def _call(host: str, port: int, rank: int) -> socket.socket:
    try:
        connection = socket.create_connection((host, port), timeout=PATIENCE)
        connection.sendall(rank.to_bytes(4))
    except ConnectionError:
        raise LostProcessError from None
    except OSError as error:
        reason = error.strerror or error
        message = f"no connection to a process of this training at {host}: {reason}"
        raise DlprojError(message) from None
    return connection


def _accept(server: socket.socket) -> socket.socket:
    try:
        return server.accept()[0]
    except TimeoutError:
        raise LostProcessError from None


def _rank_of(connection: socket.socket) -> int | None:
    """What a caller says that it is; None if it does not say."""
    connection.settimeout(INTRODUCTION)
    said = b""
    with suppress(OSError):
        while len(said) < 4 and (more := connection.recv(4 - len(said))):
            said += more
    return int.from_bytes(said) if len(said) == 4 else None


def _peer(connection: socket.socket) -> Peer:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # short messages go at once
    connection.setblocking(False)
    return Peer(connection)


def _bytes(tensor: Tensor) -> memoryview:
    bytes_of: Any = tensor.view(-1).view(torch.uint8).numpy()
    return memoryview(bytes_of)


def _shorten(messages: deque[memoryview], count: int) -> bool:
    """Take so many bytes off the first message; whether that was the last of it."""
    messages[0] = messages[0][count:]
    if messages[0]:
        return False
    messages.popleft()
    return True


def _give_way() -> None:
    """Leave the core to who needs it, but do not let it sleep: to wake up takes too long."""
    if hasattr(os, "sched_yield"):  # not on Windows
        os.sched_yield()
    else:
        time.sleep(0)

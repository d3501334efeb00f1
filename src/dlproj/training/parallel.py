"""Several processes that train one network, each on its share of every batch (torchrun's engine).

The result is that of one process, up to the order in which floating-point numbers are added: all
draw the same batches and the same random numbers, gradients are averaged over the whole batch, and
so are the statistics of BatchNorm.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from dlproj.errors import DlprojError, LostProcessError
from dlproj.training.all_reduce import AllReduce, DeviceAllReduce, SocketAllReduce, connect
from dlproj.training.columns import Columns
from dlproj.training.shared_layers import Part, put_in_place


@dataclass
class Group:
    """The processes of a training; a process by itself is a group of one."""

    rank: int = 0
    size: int = 1
    store: Store | None = None  # where processes that torchrun started find each other
    meetings: int = 0  # at which processes connected
    connected: list[AllReduce] = field(default_factory=list)  # all processes, then those of parts
    device: torch.device = field(default_factory=partial(torch.device, "cpu"))  # of what is added
    total: int = 0  # examples in the batch that is being computed
    parts: list[Part] = field(default_factory=list)
    columns: list[nn.Module] = field(default_factory=list)  # one for each part

    def share(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Begin with a batch; this process's examples of it."""
        self.total = len(targets)
        pieces = targets.tensor_split(len(self.parts)) if self.parts else ()
        for part, piece in zip(self.parts, pieces, strict=True):
            part.total = len(piece)
        if self.size == 1:
            return inputs, targets
        return self._own(inputs), self._own(targets)

    def _own(self, batch: Tensor) -> Tensor:
        pieces = batch.tensor_split(len(self.parts))
        pairs = zip(self.parts, pieces, strict=True)
        return torch.cat([part.share(piece) for part, piece in pairs])

    def mean(
        self, values: Sequence[float], weight: int, flag: bool
    ) -> Callable[[], tuple[list[float], bool]]:
        """Means over the batch of values that are means over each process's share.

        They are added up while this process goes on; the function that comes back waits for them.

        Args:
            values: this process's.
            weight: how many examples it has.
            flag: what is so for all when it is so in any process.
        """
        if self.size == 1:
            return lambda: ([*values], flag)
        weighted = [value * weight if weight else 0.0 for value in values]
        sums = torch.tensor([*weighted, float(flag)], dtype=torch.float64, device=self.device)
        wait = self.connected[0].begin(sums)

        def waited() -> tuple[list[float], bool]:
            wait()
            *added, flags = sums.tolist()
            return [value / self.total for value in added], flags > 0

        return waited

    def close(self) -> None:
        """End the connections."""
        for each in self.connected:
            each.close()
        self.connected = []

    def decided_by_first(self, here: bool) -> bool:
        """What the first process says: whether it is so there."""
        return self.first(b"yes" if here else b"") == b"yes"

    def first(self, data: bytes) -> bytes:
        """What the first process has."""
        if self.size == 1:
            return data
        # The length first: the others must make room for as much.
        length = torch.tensor(len(data), device=_device())
        dist.broadcast(length, 0)
        sent = torch.zeros(int(length), dtype=torch.uint8, device=_device())
        if self.rank == 0 and data:
            sent = torch.frombuffer(bytearray(data), dtype=torch.uint8).to(_device())
        dist.broadcast(sent, 0)
        return sent.cpu().numpy().tobytes()

    def spread(self, model: nn.Module, threads: int) -> nn.Module:
        """What computes the model's outputs for this process's share of each batch.

        The columns of a network learn from a part of every batch each. As many processes, or a
        multiple of that, are divided among the columns, so that a process computes one of them;
        otherwise all share in each.

        Args:
            model: the network.
            threads: over how many a process on CPUs may spread its columns.
        """
        if self.size == 1 and not hasattr(model, "columns"):
            return model
        self._begin_together(model)
        self.columns = list(getattr(model, "columns", [model]))
        team, left = divmod(self.size, len(self.columns))
        self.parts = []
        for column in self.columns:
            first = len(self.parts) * team
            ranks = range(self.size) if left else range(first, first + team)
            # Columns may wait for sums in a thread each, and so none uses another's connections.
            self.connected.append(self._connect(ranks))
            self.parts.append(Part(self.rank, ranks, self.connected[-1]))
            put_in_place(column, self.parts[-1])
        return Columns(self.columns, self.parts, threads) if len(self.columns) > 1 else model

    def _begin_together(self, model: nn.Module) -> None:
        """Meet the others, each with the first one's weights.

        Raises:
            DlprojError: they have another network.
        """
        self.device = next(model.parameters()).device
        self.close()
        if self.size > 1 and self.store:
            shapes = repr([weights.shape for weights in model.parameters()]).encode()
            if self.first(shapes) != shapes:
                raise DlprojError(
                    "the processes have different networks; give each the same data and settings"
                )
            for weights in model.state_dict().values():
                dist.broadcast(weights, 0)
            dist.barrier()  # from here on none waits for one that has ended
        self.connected = [self._connect(range(self.size))]

    def _connect(self, ranks: range) -> AllReduce:
        self.meetings += 1
        if len(ranks) > 1 and self.device.type != "cpu":
            return DeviceAllReduce(ranks if len(ranks) < self.size else None)
        if self.store and len(ranks) > 1 and self.rank in ranks:
            return connect(self.store, f"meeting {self.meetings}", self.rank, ranks)
        return SocketAllReduce(self.rank, {})  # with nobody

    @torch.no_grad()
    def add_gradients(self, model: nn.Module) -> None:
        """Add up the gradients of all processes, in one message."""
        if self.size == 1:
            return
        weights = [weights for weights in model.parameters() if weights.requires_grad]
        for each in weights:
            if each.grad is None:  # of a column that this process does not compute
                each.grad = torch.zeros_like(each)
        gradients = [each.grad for each in weights if each.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        self.connected[0].begin(together)()
        sums = together.split([gradient.numel() for gradient in gradients])
        for gradient, of_all in zip(gradients, sums, strict=True):
            gradient.copy_(of_all.view(gradient.shape))

    @torch.no_grad()
    def share_statistics(self) -> None:
        """Let all know the running statistics of the columns that only some of them compute."""
        kept = [
            (buffer, float(self.rank == part.ranks[0]))
            for part, column in zip(self.parts, self.columns, strict=True)
            for buffer in column.buffers()
            if buffer.is_floating_point() and len(part.ranks) < self.size
        ]
        if not kept:
            return
        # Of each, all processes but one add zeros.
        together = torch.cat([buffer * knows for buffer, knows in kept])
        self.connected[0].begin(together)()
        values = together.split([len(buffer) for buffer, _ in kept])
        for (buffer, _), value in zip(kept, values, strict=True):
            buffer.copy_(value)


def launched() -> bool:
    """Whether torchrun started this process as one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def member() -> Iterator[Group]:
    """Be one of the processes that torchrun started; without it, a group of one.

    Raises:
        LostProcessError: another of them has ended.
    """
    if not launched():
        yield Group()
        return
    gpus = torch.cuda.is_available()
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        store, rank, size = next(rendezvous("env://"))
        # torchrun's store keeps the addresses of the processes before a restart; look elsewhere.
        store = PrefixStore(f"attempt {_restarts()}", store)
        backend = "nccl" if gpus else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size)
        with closing(Group(rank, size, store)) as group:
            yield group
        dist.barrier()
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise LostProcessError from None
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def launch_name() -> str:
    """What the processes of one call of torchrun share, over its restarts too; "" without it."""
    if not launched():
        return ""
    return f"{os.environ['TORCHELASTIC_RUN_ID']} {socket.gethostname()} {os.getppid()}"


def restarted() -> bool:
    """Whether torchrun started the processes again after one had failed."""
    return _restarts() > 0


def _restarts() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def _device() -> str:
    return "cuda" if dist.get_backend() == "nccl" else "cpu"

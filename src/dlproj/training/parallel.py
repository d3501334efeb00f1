"""Several processes that train one network, each on its share of every batch (torchrun's engine).

The result is that of one process, up to the order in which floating-point numbers are added: all
draw the same batches and the same random numbers, gradients are averaged over the whole batch, and
so are the statistics of BatchNorm.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from dlproj.errors import LostProcessError


@dataclass
class Group:
    """The processes of a training; a process by itself is a group of one."""

    rank: int = 0
    size: int = 1
    total: int = 0  # examples in the batch that is being computed

    def share(self, total: int) -> slice:
        """This process's examples of a batch."""
        self.total = total
        return slice(total * self.rank // self.size, total * (self.rank + 1) // self.size)

    def mean(self, values: Sequence[float], weight: float) -> list[float]:
        """Means over the batch of what each process has the mean of over its share."""
        if self.size == 1:
            return [*values]
        weighted = [value * weight if weight else 0.0 for value in values]
        total = torch.tensor(weighted, dtype=torch.float64, device=_device())
        dist.all_reduce(total)
        return [float(value) / self.total for value in total]

    def any(self, here: bool) -> bool:
        """Whether it is so in any process."""
        if self.size == 1:
            return here
        flag = torch.tensor(int(here), device=_device())
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def decided_by_first(self, here: bool) -> bool:
        """What the first process says: whether it is so there."""
        return self.first(b"yes" if here else b"") == b"yes"

    def first(self, data: bytes) -> bytes:
        """What the first process has."""
        if self.size == 1:
            return data
        length = torch.tensor(len(data), device=_device())
        dist.broadcast(length, 0)
        sent = torch.zeros(int(length), dtype=torch.uint8, device=_device())
        if self.rank == 0 and data:
            sent = torch.frombuffer(bytearray(data), dtype=torch.uint8).to(_device())
        dist.broadcast(sent, 0)
        return sent.cpu().numpy().tobytes()

    def spread(self, model: nn.Module) -> nn.Module:
        """What computes the model's outputs and averages its gradients over the processes."""
        if self.size == 1:
            return model
        _replace(model, self)
        return DistributedDataParallel(model, forward_sync_buffers=False)


class _Sum(torch.autograd.Function):
    """The sum over the processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        values = values.clone()
        dist.all_reduce(values)
        return values

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm by the statistics of the whole batch, not of the share of one process.

    torch's SyncBatchNorm does the same on GPUs alone.
    """

    group: Group

    def forward(self, inputs: Tensor) -> Tensor:
        """Feature maps (share, channels, height, width) to the same, normalised."""
        if not self.training:
            return super().forward(inputs)
        count = self.group.total * inputs.shape[2] * inputs.shape[3]
        x = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        mean = self._sum(x) / count
        variance = self._sum((x - mean.view(1, -1, 1, 1)).square()) / count
        with torch.no_grad():
            self._keep(mean, variance * count / max(1, count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        shape = (1, -1, 1, 1)
        return (x * scale.view(shape) + (self.bias - mean * scale).view(shape)).to(inputs.dtype)

    @staticmethod
    def _sum(values: Tensor) -> Tensor:
        """Sums (channels,) over the whole batch of values (share, channels, height, width)."""
        total: Tensor = _Sum.apply(values.sum((0, 2, 3)))  # type: ignore[no-untyped-call]
        return total

    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        """Update what evaluation normalises by."""
        assert self.running_mean is not None  # noqa: S101 - for the type checker
        assert self.running_var is not None  # noqa: S101
        assert self.num_batches_tracked is not None  # noqa: S101
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum or 0.0)
        self.running_var.lerp_(variance, self.momentum or 0.0)


class GlobalDropout(nn.Dropout):
    """Dropout by this process's share of the numbers that one process would draw."""

    group: Group

    def forward(self, inputs: Tensor) -> Tensor:
        """Values (share, …) to the same, some of them zero."""
        if not self.training:
            return inputs
        whole = inputs.new_ones(self.group.total, *inputs.shape[1:])
        return inputs * super().forward(whole)[self.group.share(self.group.total)]


def _replace(model: nn.Module, group: Group) -> None:
    """Put the layers that look at the whole batch in the place of those that do not."""
    swaps = {nn.BatchNorm2d: GlobalBatchNorm2d, nn.Dropout: GlobalDropout}
    for module in model.modules():
        swap = swaps.get(type(module))
        if swap:
            module.__class__ = swap  # weights, buffers and names stay as they are
            module.group = group  # type: ignore[assignment]


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
        yield Group(rank, size)
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

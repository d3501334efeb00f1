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
    total: int = 0  # examples in the batch that is being computed; its layers look at this

    @property
    def share(self) -> slice:
        """This process's examples of that batch."""
        return slice(self.total * self.rank // self.size, self.total * (self.rank + 1) // self.size)

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


class _Normalise(torch.autograd.Function):
    """Normalisation by the statistics of the whole batch: one all-reduce forward, one backward.

    torch's kernel for evaluation does the arithmetic: it normalises by a mean and a variance that
    it is given, and its backward pass takes these for constants. What they owe to the inputs is
    added here, from the two sums that the kernel makes anyway (Ioffe & Szegedy 2015, section 3).
    """

    @staticmethod
    def forward(
        context: Any, x: Tensor, weight: Tensor, bias: Tensor, count: int, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs (share, channels, height, width) normalised; mean and variance (channels,)."""
        sums = x.new_zeros(2, x.shape[1], dtype=torch.float64)
        if len(x):
            variance, mean = torch.var_mean(x.to(weight.dtype).double(), (0, 2, 3), correction=0)
            sums = torch.stack([mean, variance + mean.square()]) * (x.numel() / x.shape[1])
        dist.all_reduce(sums)
        mean, square = sums / count
        variance = (square - mean.square()).clamp(min=0)
        mean, variance = mean.to(weight.dtype), variance.to(weight.dtype)
        # The kernels do not take a share without examples.
        normalised = (
            nn.functional.batch_norm(x, mean, variance, weight, bias, eps=eps)
            if len(x)
            else x.clone()
        )
        context.save_for_backward(x, weight, mean, variance)
        context.count, context.eps = count, eps
        context.mark_non_differentiable(mean, variance)
        return normalised, mean, variance

    @staticmethod
    def backward(context: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        """Gradients of inputs, weight and bias."""
        x, weight, mean, variance = context.saved_tensors
        through, by_weight, by_bias = gradient, torch.zeros_like(weight), torch.zeros_like(weight)
        if len(x):
            through, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
                gradient, x, weight, mean, variance, None, None, False, context.eps, [True] * 3
            )
        sums = torch.stack([by_weight, by_bias])
        dist.all_reduce(sums)
        # The part through mean and variance is, by channel, a line in the inputs: slope·x + level.
        spread = (variance + context.eps).rsqrt()
        slope = weight * spread.square() * sums[0] / context.count
        level = weight * spread * sums[1] / context.count - slope * mean
        shape = (1, -1, 1, 1)
        through = through - (x * slope.view(shape) + level.view(shape))
        return through.to(x.dtype), by_weight, by_bias, None, None


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
        normalised: Tensor
        normalised, mean, variance = _Normalise.apply(  # type: ignore[no-untyped-call]
            inputs, self.weight, self.bias, count, self.eps
        )
        with torch.no_grad():
            self._keep(mean, variance * count / max(1, count - 1))
        return normalised

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
        return inputs * super().forward(whole)[self.group.share]


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

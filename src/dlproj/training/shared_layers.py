"""The layers of a network that several processes train: they look at the whole batch."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.training.all_reduce import AllReduce


@dataclass
class Part:
    """The examples of every batch that one column learns from, and the processes that share them.

    A network without columns is a column of its own, and learns from all.
    """

    rank: int  # of this process
    ranks: range  # of those that share the examples
    together: AllReduce  # of these
    total: int = 0  # examples that they have of the batch which is being computed
    generator: torch.Generator | None = None  # of this column's own; None is torch's

    @property
    def mine(self) -> bool:
        """Whether this process is one of them."""
        return self.rank in self.ranks

    def share(self, examples: Tensor) -> Tensor:
        """This process's share of the examples, which may be none."""
        if not self.mine:
            return examples[:0]
        return examples.tensor_split(len(self.ranks))[self.rank - self.ranks[0]]

    def add(self, values: Tensor) -> None:
        """Add up over the processes, in place."""
        if self.mine and len(self.ranks) > 1:
            self.together.begin(values)()


class _Normalise(torch.autograd.Function):
    """Normalisation by the statistics of the whole batch: one all-reduce forward, one backward.

    torch's kernel for evaluation does the arithmetic: it normalises by a mean and a variance that
    it is given, and its backward pass takes these for constants. What they owe to the inputs is
    added here, from the two sums that the kernel makes anyway (Ioffe & Szegedy 2015, section 3).
    """

    @staticmethod
    def forward(
        context: Any, x: Tensor, weight: Tensor, bias: Tensor, part: Part, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs (share, channels, height, width) normalised; mean and variance (channels,)."""
        sums = x.new_zeros(2, x.shape[1], dtype=torch.float64)
        if len(x):
            mean, variance = (share.double() for share in _moments(x, weight.dtype))
            # What adds up over the processes: sum and sum of squares by channel, (2, channels).
            sums = torch.stack([mean, variance + mean.square()]) * (x.numel() / x.shape[1])
        part.add(sums)
        count = part.total * math.prod(x.shape[2:])
        mean, square = sums / count
        # Two numbers that may be nearly equal, and so in double precision until here.
        variance = (square - mean.square()).clamp(min=0)
        mean, variance = mean.to(weight.dtype), variance.to(weight.dtype)
        # The kernels do not take a share without examples.
        normalised = (
            nn.functional.batch_norm(x, mean, variance, weight, bias, eps=eps)
            if len(x)
            else x.clone()
        )
        context.save_for_backward(x, weight, mean, variance)
        context.part, context.count, context.eps = part, count, eps
        context.mark_non_differentiable(mean, variance)
        return normalised, mean, variance

    @staticmethod
    def backward(context: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        """Gradients of inputs, weight and bias."""
        x, weight, mean, variance = context.saved_tensors
        zeros, ones = torch.zeros_like(weight), torch.ones_like(weight)
        through, by_weight, by_bias = gradient, zeros, zeros
        if len(x):
            through, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
                gradient, x, weight, mean, variance, None, None, False, context.eps, [True] * 3
            )
        sums = torch.stack([by_weight, by_bias])
        context.part.add(sums)
        # The part through mean and variance is, by channel, a line in the inputs: slope·x + level.
        spread = (variance + context.eps).rsqrt()
        slope = weight * spread.square() * sums[0] / context.count
        level = weight * spread * sums[1] / context.count - slope * mean
        if len(x):
            line = nn.functional.batch_norm(x, zeros, ones, slope, level, eps=0)
            through = through.sub_(line)
        return through, by_weight, by_bias, None, None


def _moments(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mean and variance (channels,) of a share, by BatchNorm's own kernel.

    It is twenty times as fast as torch.var_mean over channels last. It computes in the type of the
    running statistics that it is given; these are not kept.
    """
    mean, variance = x.new_zeros(2, x.shape[1], dtype=dtype)
    moments: tuple[Tensor, Tensor] = torch.ops.aten.batch_norm_update_stats(x, mean, variance, 0.0)
    return moments


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm by the statistics of the whole batch, not of the share of one process.

    torch's SyncBatchNorm does the same on GPUs alone.
    """

    part: Part

    def forward(self, inputs: Tensor) -> Tensor:
        """Feature maps (share, channels, height, width) to the same, normalised."""
        if not self.training:
            return super().forward(inputs)
        normalised: Tensor
        normalised, mean, variance = _Normalise.apply(  # type: ignore[no-untyped-call]
            inputs, self.weight, self.bias, self.part, self.eps
        )
        count = self.part.total * inputs.shape[2] * inputs.shape[3]
        with torch.no_grad():
            # As in torch: evaluation has the unbiased variance, and training the other.
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

    part: Part

    def forward(self, inputs: Tensor) -> Tensor:
        """Values (share, …) to the same, some of them zero."""
        if not self.training:
            return inputs
        # Drawn for the whole batch in every process, so that their random numbers stay the same.
        whole = inputs.new_empty(self.part.total, *inputs.shape[1:])
        kept = whole.bernoulli_(1 - self.p, generator=self.part.generator).div_(1 - self.p)
        return inputs * self.part.share(kept)


def put_in_place(column: nn.Module, part: Part) -> None:
    """Put the layers that look at the whole batch in the place of those that do not."""
    swaps: dict[type, type] = {nn.Dropout: GlobalDropout}
    if len(part.ranks) > 1:
        swaps[nn.BatchNorm2d] = GlobalBatchNorm2d
    for module in column.modules():
        kind = swaps.get(type(module), type(module))
        if issubclass(kind, GlobalDropout | GlobalBatchNorm2d):  # also from an earlier training
            module.__class__ = kind  # weights, buffers and names stay as they are
            module.__dict__["part"] = part

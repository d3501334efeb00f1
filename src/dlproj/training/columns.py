"""The columns of a network, each on its part of the batch, and on CPUs on a core of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dlproj.training.shared_layers import Part


class Columns(nn.Module):
    """The columns of a network, of which each learns from its part of every batch."""

    def __init__(self, columns: Sequence[nn.Module], parts: Sequence[Part], threads: int) -> None:
        super().__init__()
        self.columns = nn.ModuleList(columns)
        self.parts = parts
        device = next(self.parameters()).device
        self.generators = [torch.Generator(device) for _ in parts]
        for part, generator in zip(parts, self.generators, strict=True):
            part.generator = generator
        self.workers = min(threads, len(columns))
        share = threads // self.workers
        # They live as long as this module: a new thread takes milliseconds to be as fast.
        self.pool = ThreadPoolExecutor(self.workers, "column", torch.set_num_threads, (share,))

    def forward(self, images: Tensor) -> Tensor:
        """Images (share, 1, height, width), of the first part first, to logits (share, classes)."""
        # Columns that run at the same time must not draw from the same random numbers.
        for generator in self.generators:
            generator.manual_seed(int(torch.randint(2**62, ())))
        sizes = [len(part.share(torch.empty(part.total))) for part in self.parts]
        pieces = images.split(sizes)
        passes = [
            partial(column, piece) for column, piece in zip(self.columns, pieces, strict=True)
        ]
        if self.workers == 1 or images.device.type != "cpu":
            return torch.cat([forward() for forward in passes])
        weights = [[*column.parameters()] for column in self.columns]
        every = [weight for of_one in weights for weight in of_one]
        logits: Tensor = _SideBySide.apply(self.pool, passes, weights, *every)  # type: ignore[no-untyped-call]
        return logits


class _SideBySide(torch.autograd.Function):
    """Networks forward and backward, in a thread each.

    One thread would walk back through a graph of all. So each network has a graph of its own, and
    the backward pass of this function walks back through all of them at once.
    """

    @staticmethod
    def forward(
        context: Any,
        pool: ThreadPoolExecutor,
        passes: list[Callable[[], Tensor]],
        weights: list[list[Tensor]],
        *_: Tensor,
    ) -> Tensor:
        """The outputs of all, one after the other; the weights come again for autograd to see."""
        # A thread has a precision of its own.
        kind, wanted = torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")

        def run(forward: Callable[[], Tensor]) -> Tensor:
            with torch.enable_grad(), torch.autocast("cpu", kind, wanted):
                return forward()

        context.pool, context.weights = pool, weights
        context.outputs = [*pool.map(run, passes)]
        return torch.cat([outputs.detach() for outputs in context.outputs])

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of all weights."""
        shares = gradient.split([len(outputs) for outputs in context.outputs])
        made = context.pool.map(torch.autograd.grad, context.outputs, context.weights, shares)
        return None, None, None, *(weight for of_one in made for weight in of_one)

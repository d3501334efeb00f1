"""Two layers that give what torch's own give on a CPU, to the last bit, but sooner.

Both are for a network in evaluation mode. Elsewhere than on a CPU they are torch's own.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def max_pool_2x2(x: Tensor) -> Tensor:
    """Max-pooling by 2x2: (batch, channels, height, width) to half the height and width."""
    even = x.shape[-2] % 2 == x.shape[-1] % 2 == 0
    if x.device.type == "cpu" and even and x.is_contiguous():
        halved: Tensor = _Halve.apply(x)  # type: ignore[no-untyped-call]
        return halved
    return F.max_pool2d(x, 2)


class _Halve(torch.autograd.Function):
    """Columns first, then rows: so that of equal values the same one as in torch gets the gradient.

    What does not is 0: a product with a mask of zeros and ones, and the rest of the subtraction.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        # (batch, channels, height, width) to half the width, and then to half the height.
        left, right = x[..., 0::2], x[..., 1::2]
        columns = torch.maximum(left, right)
        upper = columns[..., 0::2, :]
        halved = torch.maximum(upper, columns[..., 1::2, :])
        if ctx.needs_input_grad[0]:
            # 1 where the right or lower one won. Of equal values the left or upper one is kept.
            ctx.save_for_backward((columns != left).to(x.dtype), (halved != upper).to(x.dtype))
        return halved

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        from_right, from_lower = ctx.saved_tensors
        columns = torch.empty_like(from_right)
        # Written straight to its place: no other copy of this size is made.
        lower = torch.mul(gradient, from_lower, out=columns[..., 1::2, :])
        torch.sub(gradient, lower, out=columns[..., 0::2, :])
        whole = gradient.new_empty(*columns.shape[:-1], 2 * columns.shape[-1])
        right = torch.mul(columns, from_right, out=whole[..., 1::2])
        torch.sub(columns, right, out=whole[..., 0::2])
        return whole


class FixedNorm(nn.Module):
    """A BatchNorm whose statistics are fixed: the gradient of its input needs no sums."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.norm = norm
        # From double precision, rounded once.
        variance: Tensor = norm.running_var  # type: ignore[assignment]
        inverse = 1 / (variance.double() + norm.eps).sqrt()
        self.register_buffer("inverse", inverse.to(norm.weight.dtype)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Of (batch, channels, height, width), the same shape."""
        if x.device.type == "cpu" and x.dtype == self.norm.weight.dtype:
            normalised: Tensor = _Normalise.apply(  # type: ignore[no-untyped-call]
                x, self.norm, self.inverse
            )
        else:
            normalised = self.norm(x)
        return normalised


class _Normalise(torch.autograd.Function):
    """In torch's order: by the inverse of the deviation first, then by the weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: nn.BatchNorm2d, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse, norm.weight)
        normalised: Tensor = norm(x)
        return normalised

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        inverse, weight = ctx.saved_tensors
        # Mean and variance are constants here: what they would owe to the input is 0.
        return (gradient * inverse).mul_(weight[:, None, None]), None, None

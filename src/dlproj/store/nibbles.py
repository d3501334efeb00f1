"""Tables in four bits for a number: the nearest of fifteen levels, more of them around 0."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

STEPS = (0.125, 0.3125, 0.625, 1.0, 1.625, 2.5, 4.5)  # about as dense as a normal variable's
LEVELS = torch.tensor([*(-step for step in reversed(STEPS)), 0.0, *STEPS])
SHIFTS = sorted(torch.linspace(-0.6, 0.6, 25).tolist(), key=abs)  # of a row, in units
HALVINGS = 6  # of the unit with which no number is beyond the levels


def on_levels(table: Tensor, *, shift_rows: bool = False) -> Tensor:
    """A table as it comes back from four bits for a number.

    With `shift_rows` it is a matrix whose rows are only summed, and then go through a softmax. What
    all columns have in common tells nothing there, so each row is moved to where least is lost.
    """
    unit = _unit(table)
    if not shift_rows:
        return _nearest(table, unit)
    least = torch.full_like(table[:, :1], math.inf)
    found = torch.zeros_like(table)
    for shift in SHIFTS:
        moved = _nearest(table + unit * shift, unit)
        loss = (moved - table).var(1, correction=0, keepdim=True)
        found = torch.where(loss < least, moved, found)
        least = least.minimum(loss)
        if not least.any():
            break
    return found


def to_nibbles(table: Tensor) -> tuple[Tensor, dict[str, Any]]:
    """A table with two numbers in a byte; and its levels and shape, as `from_nibbles` takes them.

    A table that `on_levels` made is kept exactly.
    """
    unit = _unit(table)
    codes = _codes(table, unit).flatten().byte()
    packed = codes[::2].clone()
    packed[: len(codes) // 2] |= codes[1::2] << 4
    return packed, {"levels": (unit * LEVELS).tolist(), "shape": list(table.shape)}


def _unit(table: Tensor) -> float:
    """What the levels are multiplied by: the power of two by which least is lost.

    As it is a power of two, float8_e4m3fn, as the page of `demo` has it, holds all levels.
    """
    largest = 2.0 ** (table.abs().max() / STEPS[-1]).log2().ceil().item()
    units = [largest / 2**halvings for halvings in range(HALVINGS)]
    return min(units, key=lambda unit: (_nearest(table, unit) - table).square().sum().item())


def _nearest(table: Tensor, unit: float) -> Tensor:
    return (unit * LEVELS).to(table.device)[_codes(table, unit)]


def _codes(table: Tensor, unit: float) -> Tensor:
    """The number of the level that is nearest, for each number."""
    middles = unit * LEVELS.unfold(0, 2, 1).mean(1)
    return torch.bucketize(table, middles.to(table.device))


def from_nibbles(packed: Tensor, *, levels: Sequence[float], shape: Sequence[int]) -> Tensor:
    """The table of that shape; of an odd number of numbers the last half byte is left out."""
    # Both numbers of a byte at once: a fifth of the time that one after the other takes.
    # A code without a level is no number.
    values = torch.tensor([*levels, *[math.nan] * (16 - len(levels))])
    pairs = torch.stack([values.repeat(16), values.repeat_interleave(16)], dim=1)  # (256, 2)
    numbers = pairs.index_select(0, packed.int()).flatten()
    return numbers[: torch.Size(shape).numel()].view(*shape)

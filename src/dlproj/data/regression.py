"""Curves to fit: named functions on even points, or the user's own x,y."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dlproj.errors import DlprojError
from dlproj.limits import read_limited

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "sin3x": lambda x: torch.sin(3 * x),
    "abs": torch.abs,
    "gauss": lambda x: torch.exp(-(x**2)),
    "sinc": torch.sinc,
    "sawtooth": lambda x: torch.remainder(x, math.pi) / math.pi,
    "square": lambda x: torch.sign(torch.sin(x)),
}
LOW, HIGH = -2 * math.pi, 2 * math.pi
TRAIN, VALIDATION, TEST = 2048, 200, 257  # even points of each split
FEWEST_ROWS = 20
MOST_ROWS = 1_000_000
MAX_BYTES = 100_000_000
LARGEST = 1e15  # a number: the squares of larger ones do not fit single precision


@dataclass(frozen=True)
class Points:
    """Inputs and targets, both (points, 1)."""

    x: Tensor
    y: Tensor

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> "Points":
        """The same, on a device, in a type of numbers."""
        return Points(self.x.to(device, dtype), self.y.to(device, dtype))


@dataclass(frozen=True)
class Curve:
    """A data set; all numbers are double precision."""

    name: str
    train: Points
    validation: Points
    test: Points


def load_curve(function: str = "sin", path: Path | None = None) -> Curve:
    """Even points of a function on [-2π, 2π], or the rows of a CSV file of x,y.

    Of a file, a tenth of the rows is held out for validation and a tenth for test: in the order
    of x, every tenth row from the third, and from the eighth on.

    Raises:
        DlprojError: the file is absent, or not rows of two finite numbers.
    """
    if path is None:
        return Curve(function, *(_even(function, n) for n in (TRAIN, VALIDATION, TEST)))
    rows = torch.tensor(_read(path), dtype=torch.float64)
    rows = rows[rows[:, 0].argsort(stable=True)]
    if rows[0, 0] == rows[-1, 0]:
        raise DlprojError(f"--data {path}: all x are the same")
    place = torch.arange(len(rows)) % 10
    splits = (place != 2) & (place != 7), place == 2, place == 7
    return Curve(path.name, *(Points(rows[split, :1], rows[split, 1:]) for split in splits))


def _even(function: str, count: int) -> Points:
    x = torch.linspace(LOW, HIGH, count, dtype=torch.float64)[:, None]
    return Points(x, FUNCTIONS[function](x))


def _read(path: Path) -> list[list[float]]:
    """Rows of two numbers; a first line of names is skipped."""
    rows: list[list[float]] = []
    try:
        text = read_limited(path, MAX_BYTES).decode("utf-8-sig")
        for number, row in enumerate(csv.reader(io.StringIO(text, newline="")), 1):
            if number == 1 and row and not _is_number(row[0]):
                continue
            if len(row) != 2 or not all(map(_is_number, row)):
                raise DlprojError(
                    f"--data {path}: line {number} must be two numbers up to 1e15: x,y"
                )
            if len(rows) == MOST_ROWS:
                raise DlprojError(f"--data {path}: has more than {MOST_ROWS:,} rows")
            rows.append([float(cell) for cell in row])
    except OSError as error:
        raise DlprojError(f"--data {path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DlprojError(f"--data {path}: not a CSV file ({error})") from None
    if len(rows) < FEWEST_ROWS:
        raise DlprojError(f"--data {path}: {len(rows)} rows; at least {FEWEST_ROWS} are needed")
    return rows


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) <= LARGEST
    except ValueError:
        return False

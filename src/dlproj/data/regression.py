"""Curves to fit: named functions on even points, or the user's own x,y."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dlproj.data.notes import NOTHING, Notes, counted, few
from dlproj.data.text.numbers import (
    commas_meant,
    doubtful_thousands,
    is_name,
    is_number,
    to_number,
)
from dlproj.data.text.tables import Kind, Row, read_pairs
from dlproj.dialect import AS_FOUND, Dialect
from dlproj.errors import DlprojError

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
ENOUGH_ROWS = 5  # for a test
MAX_BYTES = 100_000_000
LARGEST = 1e15  # a number: the squares of larger ones do not fit single precision
ROUNDING = 2**-24  # of a number in single precision, as a share of it
MOST_ROUNDING = 5e-3  # of the range of x or y; above it, the fit suffers


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
    notes: Notes = NOTHING


def load_curve(
    function: str = "sin", path: Path | None = None, dialect: Dialect = AS_FOUND
) -> Curve:
    """Even points of a function on [-2π, 2π], or the rows of a table of x and y.

    Of a file, a tenth of the rows is held out for validation and a tenth for test: in the order
    of x, every tenth row from the third, and from the eighth on.

    Args:
        function: one of `FUNCTIONS`; ignored where there is a file.
        path: CSV with any separator, or JSON lines; raw or .gz.
        dialect: how the file is written, where that is not left to be found out.

    Raises:
        DlprojError: the file is absent, or not rows of two finite numbers.
    """
    if path is None:
        train, validation, test = (_even(function, n) for n in (TRAIN, VALIDATION, TEST))
        return Curve(function, train, validation, test)
    numbers, notes = _read(path, dialect)
    rows = torch.tensor(numbers, dtype=torch.float64)
    rows = rows[rows[:, 0].argsort(stable=True)]
    if rows[0, 0] == rows[-1, 0]:
        raise DlprojError(f"--data {path}: all x are the same")
    # Along the order of x, so that every split covers the whole range.
    place = torch.arange(len(rows)) % 10
    train, validation, test = (
        Points(rows[split, :1], rows[split, 1:])
        for split in ((place != 2) & (place != 7), place == 2, place == 7)
    )
    tested = few(len(test.x), "test row", "an error", enough=ENOUGH_ROWS)
    return Curve(path.name, train, validation, test, notes.with_remarks(*tested))


def check_single_precision(curve: Curve) -> None:
    """Refuse points so far from zero that single precision rounds their differences away.

    Raises:
        DlprojError: the rounding of x or y is above MOST_ROUNDING of its range.
    """
    for name in KIND.names:
        values = torch.cat(
            [getattr(part, name) for part in (curve.train, curve.validation, curve.test)]
        )
        low, high = values.min().item(), values.max().item()
        if high > low and max(-low, high) * ROUNDING > MOST_ROUNDING * (high - low):
            raise DlprojError(
                f"--data {curve.name}: {name} goes from {low:.10g} to {high:.10g}, and single "
                f"precision rounds such numbers too much; subtract {low:.10g} from each {name}, or "
                "say --recipe best"
            )


def _even(function: str, count: int) -> Points:
    x = torch.linspace(LOW, HIGH, count, dtype=torch.float64)[:, None]
    return Points(x, FUNCTIONS[function](x))


def _read(path: Path, dialect: Dialect) -> tuple[list[tuple[float, float]], Notes]:
    """Rows of x and y, and notes on them."""
    try:
        pairs = read_pairs(path, KIND, dialect, MAX_BYTES)
    except OSError as error:
        raise DlprojError(f"--data {path}: {error.strerror}") from None
    except DlprojError as error:
        raise DlprojError(f"--data {error}") from None
    comma = _decimal_commas(pairs.rows, path, dialect)
    rows = [_numbers(row, path, comma=comma) for row in pairs.rows]
    if len(rows) < FEWEST_ROWS:
        have = counted(len(rows), "row")
        raise DlprojError(f"--data {path}: {have}; at least {FEWEST_ROWS} are needed")
    written = pairs.written + (", decimal commas" if comma else "")
    summary = (
        f"read {path} ({written}): {counted(len(rows), 'row')}; "
        f"the first: x = {rows[0][0]:g}, y = {rows[0][1]:g}"
    )
    return rows, Notes(summary, (*pairs.remarks, *_remarks(rows)))


def _decimal_commas(rows: Sequence[Row], path: Path, dialect: Dialect) -> bool:
    """Whether numbers have decimal commas; refused where they may divide thousands."""
    if dialect.decimal is not None:
        return dialect.decimal == "comma"
    cells = [cell for row in rows for cell in row.cells]
    meant, mark, doubtful = commas_meant(cells), "comma", None
    if meant is None:
        doubtful = next(cell for cell in cells if "," in cell)
    elif not meant:
        columns = zip(*(row.cells for row in rows), strict=True)
        mark, doubtful = "point", next(filter(None, map(doubtful_thousands, columns)), None)
    if doubtful:
        raise DlprojError(
            f"--data {path}: {doubtful} may have decimals or thousands; say --decimal {mark}, or "
            "write thousands without separators"
        )
    return bool(meant)


def _numbers(row: Row, path: Path, *, comma: bool) -> tuple[float, float]:
    numbers = []
    for name, cell in zip(KIND.names, row.cells, strict=True):
        try:
            numbers.append(to_number(cell, comma=comma))
        except ValueError as error:
            raise DlprojError(
                f"--data {path}: line {row.line}: must be two numbers, but {name} {error}"
            ) from None
        if not abs(numbers[-1]) <= LARGEST:
            raise DlprojError(
                f"--data {path}: line {row.line}: must be two numbers up to 1e15: {name} is beyond"
            )
    return numbers[0], numbers[1]


def _remarks(rows: Sequence[tuple[float, float]]) -> list[str]:
    distinct = set(rows)
    remarks = []
    if repeated := len(rows) - len(distinct):
        remarks.append(f"{counted(repeated, 'row repeats', 'rows repeat')} an earlier one")
    several = sum(number > 1 for number in Counter(x for x, _ in distinct).values())
    if several:
        remarks.append(f"{counted(several, 'x has', 'x have')} more than one y")
    return remarks


def _heads(rows: Sequence[Row]) -> bool:
    """Whether the first row names the columns; one with a number in it is a row like others."""
    cells = rows[0].cells
    return any(map(is_name, cells)) and all(is_name(cell) or not cell for cell in cells)


KIND = Kind(
    names=("x", "y"),
    known=(frozenset({"x"}), frozenset({"y"})),
    fit=lambda cells: sum(map(is_number, cells)) / len(cells),
    heads=_heads,
)

"""Tables of two columns as people's tools write them: CSV in all its dialects, and JSON lines.

What separates the columns is found by trying: the separator is taken that makes most rows look as
they should. What a file leaves open is never guessed: the error names the flag that settles it.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dlproj.data.notes import counted, listed
from dlproj.data.text.files import read_text
from dlproj.dialect import Dialect
from dlproj.errors import DlprojError

# In the order in which they are tried; of two that fit, the first is taken.
SEPARATORS = {
    "\t": "tabs",
    ";": "semicolons",
    ",": "commas",
    "|": "vertical bars",
    " ": "white space",
}
TRIED = 1000  # rows that a separator is tried on
FITTING = 0.9  # share of the rows that must look right to stop looking further
MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class Row:
    """A row, and the line of the file on which it begins."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Kind:
    """What a table is to hold.

    Args:
        names: of its two columns.
        known: names by which each column goes in people's files, in lower case.
        fit: how well the cells of a row look, from 0 to 1.
        heads: whether the first of the rows is a header.
    """

    names: tuple[str, str]
    known: tuple[frozenset[str], frozenset[str]]
    fit: Callable[[Sequence[str]], float]
    heads: Callable[[Sequence[Row]], bool]


@dataclass(frozen=True)
class Pairs:
    """The two columns of a table, how it was written, and remarks on it."""

    rows: Sequence[Row]
    written: str
    remarks: tuple[str, ...]


def read_pairs(path: Path, kind: Kind, dialect: Dialect, limit: int) -> Pairs:
    """The two columns of a table that a command wants.

    Args:
        path: CSV with any separator, or JSON lines; raw or .gz.
        kind: what it is to hold.
        dialect: what is known of how it is written.
        limit: most bytes.

    Raises:
        DlprojError: it is no such table, or can be read in several ways; the message, which names
            the line where there is one, says what to do.
        OSError: it cannot be read.
    """
    text, encoding = read_text(path, limit, dialect.encoding)
    if not text.strip():
        raise DlprojError(f"{path}: empty")
    if text.lstrip()[0] in "{[" and dialect.delimiter is None:
        rows, written, comments = _json_rows(text, path), "JSON lines", 0
    else:
        separator, rows, comments = _separated(text, path, kind, dialect)
        written = f"separated by {SEPARATORS.get(separator, repr(separator))}"
    remarks = []
    if comments:
        remarks.append(f"{counted(comments, 'line')} that begin with # passed over")
    header, chosen, rows = _columns(rows, path, kind, dialect)
    if header:
        names = listed([cell.strip() for cell in header.cells])
        remarks.append(f"line {header.line} is taken for a header: {names}")
        first, second = (header.cells[place].strip() for place in chosen)
        meant = f"{kind.names[0]} is column {first}, {kind.names[1]} is column {second}"
        if len(header.cells) > 2:
            remarks.append(f"of {len(header.cells)} columns two are read: {meant}")
        elif chosen != (0, 1):
            remarks.append(f"the columns are taken by their names: {meant}")
    pairs = [Row(row.line, [row.cells[place].strip() for place in chosen]) for row in rows]
    return Pairs(pairs, f"{encoding}, {written}", tuple(remarks))


def _separated(text: str, path: Path, kind: Kind, dialect: Dialect) -> tuple[str, list[Row], int]:
    """What separates the columns, the rows, and how many comments there were."""
    lines = list(io.StringIO(text, newline=None))
    first = lines[0].strip()
    separator = dialect.separator
    if first.lower().startswith("sep=") and len(first) == 5:  # Excel's own
        lines[0], separator = "\n", separator or first[4]
    separator = separator or _find_separator(lines, kind)
    rows = list(islice(_rows(lines, separator, path), MOST_ROWS + 2))
    if len(rows) > MOST_ROWS + 1:
        raise DlprojError(f"{path}: has more than {MOST_ROWS:,} rows")
    if not rows:
        raise DlprojError(f"{path}: holds no rows: each line begins with #, as comments do")
    return separator, _even(rows, path), sum(map(_is_comment, lines))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _rows(lines: list[str], separator: str, path: Path | None = None) -> Iterator[Row]:
    """The rows of a file, without blank lines and comments."""
    begun = number = 0

    def kept() -> Iterator[str]:
        nonlocal begun, number
        for number, line in enumerate(lines, 1):
            if line.strip() and not _is_comment(line):
                begun = begun or number
                yield line.replace("\t", " ").strip() if separator == " " else line

    reader = csv.reader(kept(), delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        begun = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if path is None:
                return
            raise DlprojError(f"{path}: line {begun} {_csv_fault(str(error))}") from None
        yield Row(begun, cells)


def _csv_fault(message: str) -> str:
    if "field larger" in message:
        return f"holds a field larger than {csv.field_size_limit():,} letters"
    return 'has a quote that does not end its cell; write " within quotes as ""'


def _find_separator(lines: list[str], kind: Kind) -> str:
    best, highest = ",", 0.0
    for separator in SEPARATORS:
        rows = list(islice(_rows(lines, separator), 1, TRIED)) or list(_rows(lines, separator))
        width = Counter(len(row.cells) for row in rows).most_common(1)[0][0] if rows else 0
        if width < 2:
            continue
        fits = [kind.fit(row.cells) if len(row.cells) == width else 0 for row in rows]
        share = sum(fits) / len(fits)
        if share >= FITTING:
            return separator
        if share > highest:
            best, highest = separator, share
    return best


def _even(rows: list[Row], path: Path) -> list[Row]:
    """Rows of one width; what separators at the end of lines add is taken away."""
    used = max(_width(row.cells) for row in rows)
    width = min(Counter(len(row.cells) for row in rows).most_common(1)[0][0], used)
    odd = [row for row in rows if _width(row.cells) > width or len(row.cells) < width]
    if not odd:
        return [Row(row.line, row.cells[:width]) for row in rows]
    row = odd[0]
    raise DlprojError(
        f"{path}: line {row.line} has {counted(len(row.cells), 'column')}, most others have "
        f"{width}; put quotes around what holds a separator, or name the separator with --delimiter"
    )


def _width(cells: Sequence[str]) -> int:
    """How many cells there are, up to the last that is not empty."""
    return max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)


def _json_rows(text: str, path: Path) -> list[Row]:
    """A JSON object on each line, all with the same names; these become the first row."""
    rows: list[Row] = []
    names: list[str] = []
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or (names and list(value) != names):
            raise DlprojError(
                f"{path}: line {number} must be a JSON object with the names of the first line; "
                "or save the table as CSV"
            )
        if not names:
            names = list(value)
            rows.append(Row(number, names))
        rows.append(Row(number, ["" if cell is None else str(cell) for cell in value.values()]))
    return rows


def _columns(
    rows: list[Row], path: Path, kind: Kind, dialect: Dialect
) -> tuple[Row | None, tuple[int, int], list[Row]]:
    """The header if there is one, the places of the two columns, and the rows below."""
    wanted = dialect.wanted
    by_name = bool(wanted) and not all(name.isdecimal() for name in wanted)
    if wanted and not by_name:
        first, second = (int(name) - 1 for name in wanted)
        if max(first, second) >= len(rows[0].cells):
            have = counted(len(rows[0].cells), "column")
            raise DlprojError(f"{path}: has {have}; --columns {dialect.columns} names others")
        chosen = first, second
    else:
        names = [cell.strip().lower() for cell in rows[0].cells]
        found = _named(names, wanted, kind)
        if found is None and len(names) == 2 and not by_name:
            found = 0, 1
        if found is None:
            raise DlprojError(_which_columns(rows[0], path, kind, dialect, by_name=by_name))
        chosen = found
    picked = [Row(row.line, [row.cells[place].strip() for place in chosen]) for row in rows]
    if by_name or kind.heads(picked):
        return rows[0], chosen, rows[1:]
    return None, chosen, rows


def _named(names: list[str], wanted: list[str], kind: Kind) -> tuple[int, int] | None:
    """Where the wanted columns are, or those whose names are known."""
    places = []
    for index, known in enumerate(kind.known):
        sought = {wanted[index].lower()} if wanted else known
        found = [place for place, name in enumerate(names) if name in sought]
        if len(found) != 1:
            return None
        places.append(found[0])
    return places[0], places[1]


def _which_columns(first: Row, path: Path, kind: Kind, dialect: Dialect, *, by_name: bool) -> str:
    """What to say where the columns are not clear."""
    wanted = ",".join(kind.names)
    if len(first.cells) < 2:
        return (
            f"{path}: line {first.line}: must be {wanted}; name what separates columns with "
            "--delimiter"
        )
    names = listed([cell.strip() or "(no name)" for cell in first.cells])
    if by_name:
        return f"{path}: no column --columns {dialect.columns} in line {first.line}: {names}"
    return (
        f"{path}: line {first.line}: must be {wanted}, but has {len(first.cells)} columns "
        f"({names}); name two with --columns, as in --columns 1,2"
    )

"""Which columns of a table of images hold the label, and which hold neither label nor pixels."""

from dataclasses import dataclass
from pathlib import Path

from dlproj.data.notes import listed
from dlproj.data.text.numbers import is_name, is_number
from dlproj.errors import DlprojError

LABELS = {
    *("label", "labels", "class", "classes", "target", "targets", "category", "y"),
    *("digit", "number", "letter", "character"),
}
ROWS = {"id", "index", "idx", "imageid", "image_id", "rowid", "row_id", "unnamed: 0"}


@dataclass(frozen=True)
class Columns:
    """Places of columns, from 0 on; all others are pixels.

    Args:
        label: of the label; None where there is none.
        passed: of what only numbers the rows.
    """

    label: int | None
    passed: tuple[int, ...] = ()


def is_header(cells: list[str]) -> bool:
    """Whether a first line names its columns, or counts them as pandas does: 0, 1, 2, ..."""
    if sum(map(is_number, cells)) < len(cells) / 2:
        return True
    counted = [cell for cell in cells if not cell or cell.lower() not in LABELS | ROWS]
    if not counted[0]:  # pandas names no index
        counted = counted[1:]
    starts = (0,) if len(counted) == len(cells) else (0, 1)
    return any(counted == [str(start + n) for n in range(len(counted))] for start in starts)


def find_columns(names: list[str], row: list[str], file: Path) -> Columns:
    """Where the label is: by its name, or as the only text, or else in front.

    Args:
        names: of the header; empty where there is none.
        row: the first that holds an image.
        file: what to name in messages.

    Raises:
        DlprojError: they are not those of a table of images.
    """
    if names and len(names) != len(row):
        raise DlprojError(f"{file}: the header has {len(names)} columns, but line 2 has {len(row)}")
    known = [name.lower() for name in names]
    passed = tuple(n for n, name in enumerate(known) if name in ROWS or not (name or n))
    labels = [n for n, name in enumerate(known) if name in LABELS]
    if len(labels) > 1:
        several = listed([names[n] for n in labels])
        raise DlprojError(f"{file}: several columns may be the label ({several}): leave one")
    rest = [n for n in range(len(row)) if n not in passed]
    if not labels and _is_square(len(rest)):
        return Columns(None, passed)
    if not _is_square(len(rest) - 1):
        raise DlprojError(
            f"{file}: has {len(row)} columns; expected are a label and the pixels of a square, "
            "as in 1 + 784"
        )
    texts = [n for n in rest if is_name(row[n])]
    return Columns((labels or (texts if len(texts) == 1 else rest))[0], passed)


def _is_square(count: int) -> bool:
    return round(count**0.5) ** 2 == count

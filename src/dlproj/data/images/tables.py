"""Images as tables: a label and the pixels of an image on each line, as Kaggle has MNIST."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from dlproj.data.images.classes import MOST
from dlproj.data.images.columns import Columns, find_columns, is_header
from dlproj.data.images.found import Found, Part, split_by_content
from dlproj.data.notes import listed
from dlproj.errors import DlprojError

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
MAX_BYTES = 2_000_000_000  # of text, unpacked: EMNIST's largest table has 1.3 billion
LONGEST = 1_000_000  # letters of a line


def read_image_tables(path: Path) -> Found | None:
    """A table of images, or those of a folder for training and test; None where there is none.

    Raises:
        DlprojError: a table is not of that form; the message names the line.
        OSError: it cannot be read.
    """
    files = [path] if path.is_file() else sorted(path.glob("*"))
    files = [
        file
        for file in files
        if file.name.lower().endswith(ENDINGS) and not file.name.startswith(".")
    ]
    if not files:
        return None
    train, test = _chosen(path, files)
    part, remarks = _read(train)
    if part is None:
        raise DlprojError(
            f"{train}: has no labels; put the label of each image first, or name its column label"
        )
    _check_label(part, train)
    tested = None
    if test:
        tested, more = _read(test)
        remarks += [remark for remark in more if remark not in remarks]
        if tested is None:
            remarks.append(f"{test.name} has no labels: passed over")
    if tested is None:
        part, tested = split_by_content(part)
        remarks.append("no test images: a tenth, by a hash of each image, is held out for test")
    names = " and ".join(file.name for file in (train, test) if file)
    emnist = train.name.lower().startswith("emnist")
    return Found(part, tested, str(path), f"table {names}", emnist=emnist, remarks=tuple(remarks))


def _chosen(path: Path, files: list[Path]) -> tuple[Path, Path | None]:
    """The table to learn from, and that to be tested on."""
    if len(files) == 1:
        return files[0], None
    train = [file for file in files if re.search("train", file.name, re.IGNORECASE)]
    test = [file for file in files if re.search("test|t10k", file.name, re.IGNORECASE)]
    if len(train) == 1 and len(test) <= 1:
        return train[0], test[0] if test else None
    names = listed([file.name for file in files])
    raise DlprojError(
        f"{path}: holds several tables ({names}): leave one with train in its name, and one with "
        "test"
    )


def _check_label(part: Part, file: Path) -> None:
    """Refuse a label that is always the same where the last column looks like labels."""
    label, last = np.unique(part.labels), np.unique(part.images[:, -1])
    whole = (last == np.round(last)).all() and 0 <= last[0] < last[-1] < MOST
    if len(label) == 1 and whole:
        same = str(label[0]).removesuffix(".0")
        raise DlprojError(
            f"{file}: each row has the label {same}, but its last column looks like labels: "
            "put that first, or a header with the name label above it"
        )


def _read(file: Path) -> tuple[Part | None, list[str]]:
    """Images and labels of a table, and remarks; None where it has no labels."""
    with _opened(file) as lines:
        first = next(lines, None)
        if first is None:
            raise DlprojError(f"{file}: empty")
        separator = max(",;\t ", key=first.count)
        names = _cells(first, separator)
        headed = is_header(names)
        row = next(lines, None) if headed else first
        if row is None:
            raise DlprojError(f"{file}: holds no rows below its header")
        columns = find_columns(names if headed else [], _cells(row, separator), file)
        codes: dict[str, int] = {}
        try:
            values = np.loadtxt(
                chain([row], lines),
                np.float32,
                delimiter=None if separator == " " else separator,
                converters=_converters(columns, codes),
                encoding=None,
                quotechar='"',
                comments=None,
                ndmin=2,
            )
        except ValueError as error:
            raise DlprojError(f"{file}: {_fault(str(error), 1 + headed)}") from None
    remarks = _remarks(names, columns, headed=headed)
    if columns.label is None:
        return None, [f"{file.name}: {remark}" for remark in remarks]
    pixels = np.delete(values, [columns.label, *columns.passed], axis=1)
    labels = _decoded(values[:, columns.label], list(codes))
    return Part(pixels, labels), [f"{file.name}: {remark}" for remark in remarks]


def _converters(columns: Columns, codes: dict[str, int]) -> dict[int | str, Callable[[str], float]]:
    """How columns that are no pixels become numbers."""
    passed: dict[int | str, Callable[[str], float]] = dict.fromkeys(columns.passed, lambda _: 0)
    return passed if columns.label is None else passed | {columns.label: partial(_code, codes)}


def _code(codes: dict[str, int], text: str) -> int:
    """A number for each text."""
    if not text.strip():
        raise ValueError
    return codes.setdefault(text.strip(), len(codes))


def _decoded(codes: NDArray[np.float32], texts: list[str]) -> NDArray[Any]:
    """The labels of some codes: numbers where all are, or else texts."""
    try:
        names = np.array([float(text) for text in texts])
    except ValueError:
        names = np.array(texts)
    return names[codes.astype(int)]


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.rstrip("\n").split(separator)]


def _remarks(names: list[str], columns: Columns, *, headed: bool) -> list[str]:
    """What is unusual about the columns."""
    remarks = [f"line 1 is taken for a header: {listed(names, 3)}"] if headed else []
    remarks += [
        f"column {place + 1} ({names[place] or 'no name'}) is passed over"
        for place in columns.passed
    ]
    front = next(n for n in range(len(names)) if n not in columns.passed)
    if columns.label == len(names) - 1:
        remarks.append("the label is the last column")
    elif columns.label not in {None, front}:
        remarks.append(f"the label is column {columns.label + 1}")
    return remarks


def _fault(message: str, first_row: int) -> str:
    """NumPy's message, with the number of the line."""
    message = message.split("; use", 1)[0]
    message = re.sub(  # rows counted from 0
        r"at row (\d+), column", lambda row: f"at line {int(row[1]) + first_row}, column", message
    )
    return re.sub(r"at row (\d+)$", lambda row: f"at line {int(row[1]) + first_row - 1}", message)


@contextmanager
def _opened(file: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file, raw or compressed, up to a limit."""
    with file.open("rb") as raw:
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        content = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if packed else raw)
        with TextIOWrapper(content, encoding="utf-8-sig") as text:
            try:
                yield _limited(text, file)
            except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeError) as error:
                raise DlprojError(f"{file}: {error}") from None


def _limited(text: IO[str], file: Path) -> Iterator[str]:
    size = 0
    while line := text.readline(LONGEST):
        size += len(line)
        if size > MAX_BYTES or len(line) == LONGEST:
            raise DlprojError(f"{file}: larger than a table of images can be")
        if line.strip():
            yield line

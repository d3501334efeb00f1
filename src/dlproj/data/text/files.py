"""Text files as people's tools write them: with a byte order mark, in UTF-16, compressed."""

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from dlproj.errors import DlprojError
from dlproj.limits import read_limited

# The longer marks first: that of UTF-32 begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What is no text, by its first bytes, and what to do about it.
OTHERS = {
    b"PK\x03\x04": "a zip archive or a workbook of Excel: save the sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "a workbook of Excel: save the sheet as CSV",
    b"PAR1": "a Parquet file: save the table as CSV",
    b"%PDF": "a PDF file: save the table as CSV",
    b"\x93NUMPY": "an array of NumPy: save it as CSV, as with numpy.savetxt",
}
NAMES = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "utf-32": "UTF-32"}

MAX_LINES_BYTES = 200_000_000
MAX_LINE = 10_000  # letters


def read_lines(path: Path | None, encoding: str | None = None) -> list[str]:
    """The lines of what `--file` names, or of standard input, in an encoding as for `read_text`.

    Raises:
        DlprojError: it cannot be read, is no text, or has a line of over 10,000 letters.
    """
    where = "standard input" if path is None else f"--file {path}"
    try:
        if path is None:
            text, _ = decode(sys.stdin.buffer.read(), where, encoding)
        else:
            text, _ = read_text(path, MAX_LINES_BYTES, encoding)
    except OSError as error:
        raise DlprojError(f"{where}: {error.strerror}") from None
    except DlprojError as error:
        raise DlprojError(str(error) if path is None else f"--file {error}") from None
    lines = text.splitlines()
    if max(map(len, lines), default=0) > MAX_LINE:
        raise DlprojError(f"{where}: has a line of over {MAX_LINE:,} letters")
    return lines


def is_table(lines: Sequence[str]) -> bool:
    """Whether each of three lines or more has cells, and as many as the others.

    Cells end with a tab, or with a comma or semicolon that no blank follows, as in a text it does.
    """
    rows = [line for line in lines if line.strip()]
    counts = [
        {len(re.findall(mark, row)) for row in rows} for mark in (r"\t", r";(?!\s|$)", r",(?!\s|$)")
    ]
    return len(rows) >= 3 and any(len(each) == 1 and min(each) > 0 for each in counts)


def read_text(path: Path, limit: int, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, raw or gzip-compressed, and the name of its encoding.

    Args:
        path: the file.
        limit: most bytes that are read, before and after they are unpacked.
        encoding: a name that Python knows; by default what a byte order mark says, or UTF-8.

    Raises:
        DlprojError: it is no text, or not in that encoding; the message says what to do.
        OSError: it cannot be read.
    """
    if path.is_dir():
        raise DlprojError(f"{path}: a folder; name a file in it")
    data = read_limited(path, limit)
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, path, limit)
    return decode(data, str(path), encoding)


def _unpacked(data: bytes, path: Path, limit: int) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            unpacked = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DlprojError(f"{path}: damaged ({error})") from None
    if len(unpacked) > limit:
        raise DlprojError(f"{path}: unpacks to more than {limit:,} bytes")
    return unpacked


def decode(data: bytes, where: str, encoding: str | None = None) -> tuple[str, str]:
    """The text that bytes are, and the name of its encoding.

    Raises:
        DlprojError: they are no text, or not in that encoding.
    """
    for start, what in OTHERS.items():
        if data.startswith(start):
            raise DlprojError(f"{where}: {what}")
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    chosen = encoding or marked or _unmarked_utf16(data) or "utf-8"
    try:
        text = data.decode(chosen)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DlprojError(
            f"{where}: line {line} is not {NAMES.get(chosen, chosen)} text; save the file as UTF-8,"
            " or name what it is in, as in --encoding cp1252 (of Windows in Western Europe)"
        ) from None
    except UnicodeError as error:  # of a cut UTF-16
        raise DlprojError(f"{where}: not {NAMES.get(chosen, chosen)} text ({error})") from None
    if "\0" in text:
        raise DlprojError(f"{where}: no text file (it holds zero bytes)")
    return text.removeprefix("\ufeff"), NAMES.get(chosen, chosen)


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of Latin letters is zero."""
    start = data[:2000]
    if len(start) < 4 or len(data) % 2:
        return None
    zeros = start[::2].count(0), start[1::2].count(0)
    if max(zeros) < len(start) // 4 or min(zeros):
        return None
    return "utf-16-be" if zeros[0] else "utf-16-le"

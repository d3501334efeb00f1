"""Soft labels of words: how frequent each is in every language, relative to the others."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlproj.data.text.files import read_text
from dlproj.data.text.words import LABEL_NAMES

MAX_BYTES = 200_000_000
TEN_TIMES = 10 * (1 - 1e-6)  # of frequencies that are rounded


@dataclass(frozen=True)
class FrequencyTable:
    """Words, languages, and the frequencies (words, languages) of the words, 0 if not listed."""

    words: list[str]
    languages: list[str]
    frequencies: NDArray[np.float64]


def soft_labels(frequencies: NDArray[np.float64]) -> NDArray[np.float32]:
    """Relative frequencies (words, languages) of frequencies (words, languages); rows sum to 1.

    A frequency of 0 means that the language's list lacks the word. Most such words do not occur
    there at all, so they are given a tenth of the smallest frequency that is listed.
    """
    filled = np.where(frequencies > 0, frequencies, frequencies[frequencies > 0].min() / 10)
    return (filled / filled.sum(1, keepdims=True)).astype(np.float32)


def of_one_language(frequencies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which words (words,) are ten times as frequent in one language as in each of the others.

    Here a word that a list lacks may be as frequent as half the smallest frequency.
    """
    least = frequencies[frequencies > 0].min() / 2
    # The two largest of each row stand last.
    ordered = np.sort(np.maximum(frequencies, least), axis=1)
    return ordered[:, -1] >= TEN_TIMES * ordered[:, -2]


def holds_frequencies(path: Path) -> bool:
    """Whether a .csv begins as `dlproj build-words` begins it: word, then two languages or more.

    With a column for labels it is another table.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.readline(10_000).decode("utf-8-sig", "replace")
    first, *languages = (name.strip() for name in start.split(","))
    labelled = any(name.lower() in LABEL_NAMES for name in languages)
    return first == "word" and len(languages) >= 2 and not labelled


def write_frequencies(table: FrequencyTable) -> bytes:
    """A .csv file of a header and a row for each word."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["word", *table.languages])
    for word, row in zip(table.words, table.frequencies.tolist(), strict=True):
        writer.writerow([word, *(f"{value:g}" for value in row)])
    return text.getvalue().encode()


def read_frequencies(path: Path, encoding: str | None = None) -> FrequencyTable:
    """What `write_frequencies` wrote, or another table of that form; words are composed (NFC).

    Raises:
        DlprojError: the text cannot be read.
        ValueError: a row is not a word and a frequency for each language, or a word comes twice.
    """
    text, _ = read_text(path, MAX_BYTES, encoding)
    reader = csv.reader(io.StringIO(text, newline=""))
    languages = [name.strip() for name in next(reader)[1:]]
    if len(set(languages)) < len(languages) or not all(languages):
        raise ValueError("line 1: each language must have a name of its own")
    rows: dict[str, list[float]] = {}
    for number, (word, *cells) in enumerate(filter(None, reader), 2):
        spelt = unicodedata.normalize("NFC", word.strip().lower())
        if not spelt or spelt in rows:
            raise ValueError(f"line {number}: {spelt or 'no word'} {'twice' if spelt else 'there'}")
        rows[spelt] = _frequencies(number, cells, len(languages))
    if not rows:
        raise ValueError("holds no words below its header")
    return FrequencyTable([*rows], languages, np.array([*rows.values()]))


def _frequencies(number: int, cells: Sequence[str], count: int) -> list[float]:
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = []
    if len(values) != count or not all(0 <= value < float("inf") for value in values):
        raise ValueError(f"line {number}: must be a word and {count} frequencies, 0 or more")
    if not any(values):
        raise ValueError(f"line {number}: the word must be frequent in one language at least")
    return values

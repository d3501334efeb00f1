"""The user's own tables of words and their languages."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlproj.data.notes import Notes, counted, listed
from dlproj.data.text.tables import Kind, Pairs, Row, read_pairs
from dlproj.dialect import Dialect
from dlproj.errors import DlprojError

WORD_NAMES = frozenset(
    {
        "word",
        "words",
        "token",
        "text",
        "term",
        "name",
        "string",
        "input",
        "lemma",
        "form",
        "wort",
        "mot",
        "palabra",
        "parola",
        "słowo",
        "woord",
        "sana",
    }
)
LABEL_NAMES = frozenset(
    {
        "label",
        "labels",
        "language",
        "languages",
        "lang",
        "lang_id",
        "langid",
        "class",
        "target",
        "category",
        "locale",
        "iso",
        "sprache",
        "langue",
        "idioma",
        "lingua",
        "język",
        "taal",
        "kieli",
    }
)
FEW = 20  # rows in which nothing can be said of how often a label comes up


@dataclass(frozen=True)
class WordRows:
    """Words in lower case, their labels, and notes on where they come from."""

    words: list[str]
    labels: list[str]
    notes: Notes


def read_words(path: Path, dialect: Dialect, limit: int) -> WordRows:
    """The words and labels of a table, both in Unicode's composed form (NFC).

    Raises:
        DlprojError: it is no such table; the message says what to do.
        OSError: it cannot be read.
    """
    pairs = read_pairs(path, KIND, dialect, limit)
    words, labels = [], []
    for row in pairs.rows:
        word, label = (unicodedata.normalize("NFC", cell) for cell in row.cells)
        for name, cell in zip(KIND.names, (word, label), strict=True):
            if not cell:
                raise DlprojError(f"{path}: line {row.line}: the {name} is empty")
            if "\n" in cell:
                raise DlprojError(
                    f"{path}: line {row.line}: the {name} goes over several lines; is a quote "
                    'there not closed? Write " within quotes as ""'
                )
        words.append(word.lower())
        labels.append(label)
    if not words:
        raise DlprojError(f"{path}: holds no words below its header")
    counts = Counter(labels)
    if len(counts) > max(FEW, len(words) // 2):
        raise DlprojError(
            f"{path}: {len(counts):,} different labels in {len(words):,} rows; name the columns of "
            "the word and of its label, as in --columns 2,1"
        )
    return WordRows(words, labels, _notes(path, pairs, words, labels, counts))


def _notes(
    path: Path, pairs: Pairs, words: list[str], labels: list[str], counts: Counter[str]
) -> Notes:
    languages = listed([f"{name} {count:,}" for name, count in sorted(counts.items())], 12)
    summary = (
        f"read {path} ({pairs.written}): {counted(len(words), 'row')}; {languages}; "
        f"the first: {words[0]}, {labels[0]}"
    )
    rows = Counter(zip(words, labels, strict=True))
    remarks = list(pairs.remarks)
    if repeated := len(words) - len(rows):
        remarks.append(f"{counted(repeated, 'row repeats', 'rows repeat')} an earlier one")
    several = Counter(word for word, _ in rows)
    ambiguous = [word for word, number in several.items() if number > 1]
    if ambiguous:
        remarks.append(
            f"{counted(len(ambiguous), 'word has', 'words have')} more than one label, the first "
            f"{ambiguous[0]}: a network cannot get them all right"
        )
    cases = Counter(name.casefold() for name in counts)
    alike = sorted(name for name in counts if cases[name.casefold()] > 1)
    if alike:
        remarks.append(f"labels that differ in capitals alone are different: {listed(alike)}")
    rare = [name for name, count in counts.items() if count < FEW]
    if rare:
        remarks.append(f"fewer than {FEW} rows have the label {listed(sorted(rare))}")
    return Notes(summary, tuple(remarks))


def _heads(rows: Sequence[Row]) -> bool:
    """Whether the first row names the columns.

    It does when its names are known, or when its label never comes again and all others do.
    """
    word, label = (cell.lower() for cell in rows[0].cells)
    if word in WORD_NAMES and label in LABEL_NAMES:
        return True
    counts = Counter(row.cells[1].lower() for row in rows)
    return len(rows) > FEW and counts.pop(label) == 1 and min(counts.values()) > 1


KIND = Kind(
    names=("word", "label"),
    known=(WORD_NAMES, LABEL_NAMES),
    fit=lambda cells: float(all(cell.strip() for cell in cells[:2])),
    heads=_heads,
)

"""Words and their languages: those that ship, the course's file, or the user's own."""

import gzip
import hashlib
import math
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dlproj.data.batches import epoch_generator
from dlproj.data.notes import NOTHING, Notes, counted, few, listed
from dlproj.data.soft_labels import (
    holds_frequencies,
    of_one_language,
    read_frequencies,
    soft_labels,
)
from dlproj.data.text.words import read_words
from dlproj.dialect import AS_FOUND, Dialect
from dlproj.errors import DlprojError, UsageError

SHIPPED = Path(__file__).parent / "files" / "words"
SHA256 = {
    "train.tsv.gz": "c740e280c264857aea752308c642c45e55f1806637f074a20408a7a24af7b9c4",
    "validation.tsv.gz": "1200c3e70689bcc6865d9cbb7e500515b3c091f0bf00badcedd74393ffefafd8",
    "test.tsv.gz": "52ac9ec37a22b0f693d79ab4aba0976fc112b8938be9c499b7a01b71f952e958",
}
RARE = {"rare.tsv.gz": "16bb169c5551bb76b8679e0584690b4e3c1a0c77d94f66581d5d725d20a21ff4"}
ALPHABET = "abcdefghijklmnopqrstuvwxyzáäèéêëíïñóöúüąćęłńśźż"
LANGUAGES = {"en": "English", "es": "Spanish", "fi": "Finnish", "nl": "Dutch", "pl": "Polish"}
COLUMNS = 2 + len(LANGUAGES)  # of the shipped lists
MAX_LENGTH = 64  # letters of a word that are looked at
MAX_BYTES = 200_000_000
NPZ_KEYS = (
    "chars",
    "language_names",
    *(f"{s}_{a}" for s in ("train", "dev", "test") for a in "xy"),
)


@dataclass(frozen=True)
class Words:
    """Letter indices (n, longest), lengths (n,) and labels (n,); -1 is no known letter.

    Words from a list of frequencies also have soft labels: the languages' shares (n, classes) of a
    word. Its frequency (n,) is the sum of those in all languages, and the mask `owned` (n,) says
    whether it belongs to one language. A label is then the language with the largest share.
    """

    letters: Tensor
    lengths: Tensor
    labels: Tensor
    shares: Tensor | None = None
    frequency: Tensor | None = None
    owned: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Words":
        """The same, on a device."""
        return self.map(lambda column: column.to(device))

    def of_one_language(self) -> "Words":
        """The words that belong to one language; all of them where nothing is known of that."""
        owned = self.owned
        return self if owned is None else self.map(lambda column: column[owned])

    def map(self, function: Callable[[Tensor], Tensor]) -> "Words":
        """The same with a function of each column, such as a choice of rows."""
        columns: list[Any] = [None if each is None else function(each) for each in self.columns()]
        return Words(*columns)

    def columns(self) -> list[Any]:
        """The fields in their order."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True)
class WordData:
    """A data set: an alphabet, languages, and three splits."""

    alphabet: str
    names: list[str]
    train: Words
    validation: Words
    test: Words
    notes: Notes = NOTHING


def encode(words: Sequence[str], alphabet: str) -> tuple[Tensor, Tensor]:
    """Letter indices (n, longest) and lengths (n,) of words.

    Letters are taken in lower case; one outside the alphabet counts as its letter without the
    accent, and where that is outside too (hyphens, apostrophes, digits) as -1, which keeps its
    place. At the end of a word it is left out, since -1 there is padding; but a word without a
    known letter is one -1. Only the first 64 letters are looked at.
    """
    normal = [_normal(word, alphabet)[:MAX_LENGTH] for word in words]
    longest = max(map(len, normal), default=0) or 1
    # Code points (words, longest), 0 behind the end of a word; then a table from code points to
    # indices, filled for those that occur: one look-up for all letters.
    points = np.array(normal, dtype=f"U{longest}").view(np.uint32).reshape(len(normal), longest)
    table = np.empty(int(points.max(initial=0)) + 1, np.int16)
    for point in np.flatnonzero(np.bincount(points.ravel())):
        table[point] = _letter_index(chr(point), alphabet)
    letters = table[points]
    lengths = np.where(letters >= 0, np.arange(1, longest + 1), 1).max(axis=1)
    kept = letters[:, : lengths.max(initial=1)]
    return torch.from_numpy(kept), torch.from_numpy(lengths)


def _normal(word: str, alphabet: str) -> str:
    """Lower case, letters and marks composed.

    Of what the alphabet lacks, a mark that no composed letter has is left out, and an invisible
    character, such as a soft hyphen or a byte order mark.
    """
    lower = word.lower()
    if lower.isascii():
        return lower
    composed = unicodedata.normalize("NFC", lower)
    kept = (
        letter
        for letter in composed
        if letter in alphabet or unicodedata.category(letter) not in {"Mn", "Cf"}
    )
    return "".join(kept) or composed


def _letter_index(letter: str, alphabet: str) -> int:
    if letter == "\0":  # behind the end of a word
        return -1
    if letter in alphabet:
        return alphabet.index(letter)
    return alphabet.find(unicodedata.normalize("NFD", letter)[0])


def by_length(lengths: Tensor) -> Iterator[tuple[int, Tensor]]:
    """(length, rows of the words that long), so that batches need no padding."""
    order = lengths.argsort(stable=True)
    counts = torch.bincount(lengths)
    for length, rows in enumerate(order.split(counts.tolist())):
        if len(rows):
            yield length, rows


def join_words(parts: Sequence[Words]) -> Words:
    """All words of several sets that have soft labels, or of several that have not."""
    longest = max(part.letters.shape[1] for part in parts)
    padded = [
        replace(part, letters=F.pad(part.letters, (0, longest - part.letters.shape[1]), value=-1))
        for part in parts
    ]
    columns: list[Any] = [
        None if column[0] is None else torch.cat(column)
        for column in zip(*(part.columns() for part in padded), strict=True)
    ]
    return Words(*columns)


class LengthBatches:
    """Shuffled batches of words of one length each, in shuffled order."""

    def __init__(
        self, words: Words, *, batch_size: int, seed: int, targets: Tensor | None = None
    ) -> None:
        self.words = words
        self.targets = words.labels if targets is None else targets
        self.batch_size = batch_size
        self.seed = seed
        self.groups = list(by_length(words.lengths))

    def __len__(self) -> int:
        return sum(math.ceil(len(rows) / self.batch_size) for _, rows in self.groups)

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch, counted from 0, after those that are done.

        Each is letters (batch, length) and targets, which are labels if nothing else was given.
        """
        generator = epoch_generator(self.seed, number)
        batches = [
            (length, rows[chosen.to(rows.device)])
            for length, rows in self.groups
            for chosen in torch.randperm(len(rows), generator=generator).split(self.batch_size)
        ]
        # In any order of lengths: long words last would be what a network remembers best.
        for index in torch.randperm(len(batches), generator=generator).tolist()[done:]:
            length, rows = batches[index]
            yield self.words.letters[rows, :length], self.targets[rows]


def load_words(
    path: Path | None = None, dialect: Dialect = AS_FOUND, *, rare: bool = False
) -> WordData:
    """Load the shipped words, the course's .npz, or a table of words and labels.

    Args:
        path: None for the shipped words. A .npz holds what the course's file does. A table (CSV
            with any separator, or JSON lines; raw or .gz) may have any languages and letters; a
            hash of each word draws its split (90, 5, 5 %). A .csv may also hold frequencies, as
            `dlproj build-words` writes them.
        dialect: how a table is written, where that is not left to be found out.
        rare: train on the rarer words that ship, too.

    Raises:
        DlprojError: the file is absent, damaged or not of that form.
    """
    if path is None:
        return _load_shipped(rare=rare)
    try:
        if path.suffix.lower() == ".npz":
            if dialect.given:
                raise UsageError(f"{path}: an .npz takes no {', '.join(dialect.given)}")
            return _load_npz(path)
        if not (dialect.columns or dialect.delimiter) and holds_frequencies(path):
            return _load_frequencies(path, dialect)
        return _load_table(path, dialect)
    except OSError as error:
        raise DlprojError(f"--data {path}: {error.strerror or error}") from None
    except DlprojError as error:
        raise type(error)(f"--data {error}") from None
    except Exception as error:  # numpy and zipfile raise whatever they stumble over
        raise DlprojError(f"--data {path}: {error or type(error).__name__}") from None


def _load_shipped(*, rare: bool) -> WordData:
    train, validation, test = (_load_list(*entry) for entry in SHA256.items())
    if rare:
        train = join_words([train, *(_load_list(*entry) for entry in RARE.items())])
    return WordData(ALPHABET, [*LANGUAGES.values()], train, validation, test)


def _load_list(name: str, expected: str) -> Words:
    packed = (SHIPPED / name).read_bytes()
    if hashlib.sha256(packed).hexdigest() != expected:
        raise DlprojError(f"{SHIPPED / name} is damaged: install dlproj again")
    cells = gzip.decompress(packed).decode().split()  # word, its language or -, 5 frequencies
    words, owners = cells[::COLUMNS], np.array(cells[1::COLUMNS])
    zipf = np.array([cells[column::COLUMNS] for column in range(2, COLUMNS)], np.int64).T / 100
    return soft_words(words, np.where(zipf > 0, 10**zipf, 0), owned=owners != "-")


def soft_words(
    words: Sequence[str],
    frequencies: NDArray[np.float64],
    *,
    owned: NDArray[np.bool_],
    alphabet: str = ALPHABET,
) -> Words:
    """Words with soft labels, from their frequencies (words, languages)."""
    return Words(
        *encode(words, alphabet),
        torch.from_numpy(frequencies.argmax(1)),
        torch.from_numpy(soft_labels(frequencies)),
        torch.from_numpy(frequencies.sum(1).astype(np.float32)),
        torch.from_numpy(owned),
    )


def _load_frequencies(path: Path, dialect: Dialect) -> WordData:
    table = read_frequencies(path, dialect.encoding)
    owned = of_one_language(table.frequencies)
    alphabet = "".join(sorted(set().union(*table.words)))
    split = np.array([split_of(word) for word in table.words])
    splits = []
    for name in ("train", "validation", "test"):
        rows = np.flatnonzero(split == name)
        if not owned[rows].any():
            raise ValueError(
                "too few words that belong to one language (ten times as frequent there as in the "
                "others) to hold some out for validation and test"
            )
        words = [table.words[row] for row in rows]
        splits.append(
            soft_words(words, table.frequencies[rows], owned=owned[rows], alphabet=alphabet)
        )
    train, validation, test = splits
    summary = (
        f"read {path} (frequencies): {counted(len(table.words), 'word')}; "
        f"languages: {listed(table.languages, 12)}; the first: {table.words[0]}"
    )
    tested = few(len(test.of_one_language()), "test word", "an accuracy")
    return WordData(alphabet, table.languages, train, validation, test, Notes(summary, (*tested,)))


def _load_table(path: Path, dialect: Dialect) -> WordData:
    splits: dict[str, tuple[list[str], list[str]]] = {
        split: ([], []) for split in ("train", "validation", "test")
    }
    rows = read_words(path, dialect, MAX_BYTES)
    for word, label in zip(rows.words, rows.labels, strict=True):
        words, labels = splits[split_of(word)]
        words.append(word)
        labels.append(label)
    if not all(words for words, _ in splits.values()):
        raise DlprojError(f"{path}: too few words to hold some out for validation and test")
    names = sorted(set(rows.labels))
    if len(names) < 2:
        raise DlprojError(f"{path}: must hold words of two languages or more")
    alphabet = "".join(sorted(set().union(*splits["train"][0])))
    data = _word_data(splits.values(), alphabet, dict(zip(names, names, strict=True)))
    tested = few(len(data.test), "test word", "an accuracy")
    return replace(data, notes=rows.notes.with_remarks(*tested))


def split_of(word: str) -> str:
    """The split of a word in a .csv: the same in every run, and never two."""
    # The first byte of a hash is as good as drawn, and the same on every machine.
    percentile = hashlib.sha256(word.encode()).digest()[0] * 100 // 256
    return "train" if percentile < 90 else "validation" if percentile < 95 else "test"


def _word_data(
    splits: Iterable[tuple[list[str], list[str]]], alphabet: str, names: Mapping[str, str]
) -> WordData:
    index = {code: number for number, code in enumerate(names)}
    train, validation, test = (
        Words(*encode(words, alphabet), torch.tensor([index[code] for code in codes]))
        for words, codes in splits
    )
    return WordData(alphabet, list(names.values()), train, validation, test)


def _load_npz(path: Path) -> WordData:
    """The course's format: {train,dev,test}_x of letter indices padded with -1, and _y."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"unpacks to more than {MAX_BYTES} bytes")
    with np.load(path, allow_pickle=False) as arrays:
        missing = [name for name in NPZ_KEYS if name not in arrays]
        if missing:
            raise ValueError(f"lacks {', '.join(missing)}")
        alphabet = "".join(map(str, arrays["chars"]))
        names = [str(name) for name in arrays["language_names"]]
        train, validation, test = (
            _check_npz(arrays[f"{split}_x"], arrays[f"{split}_y"], len(alphabet), len(names))
            for split in ("train", "dev", "test")
        )
    return WordData(alphabet, names, train, validation, test)


def _check_npz(x: NDArray[Any], y: NDArray[Any], letters: int, classes: int) -> Words:
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.size or x.shape[1] > MAX_LENGTH:
        raise ValueError(f"x {x.shape} and y {y.shape} must be (words, length) and (words,)")
    if x.dtype.kind not in "iu" or y.dtype.kind not in "iu":
        raise ValueError("x and y must hold integers")
    lengths = (x >= 0).sum(1)
    # Letters first, padding behind: as many in front as there are in all.
    if ((x >= 0) != (np.arange(x.shape[1]) < lengths[:, None])).any() or (lengths == 0).any():
        raise ValueError("each row of x must be letter indices, then -1")
    if x.max() >= letters or y.min() < 0 or y.max() >= classes:
        raise ValueError("x or y holds an index beyond chars or language_names")
    return Words(
        torch.from_numpy(x.astype(np.int16)),
        torch.from_numpy(lengths.astype(np.int64)),
        torch.from_numpy(y.astype(np.int64)),
    )

"""Word lists with their frequencies in several languages, from the package `wordfreq`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from dlproj.data.soft_labels import FrequencyTable
from dlproj.errors import DlprojError, UsageError

LENGTHS = range(2, 25)  # one letter is no evidence; longer entries are mostly chains and noise
UNLISTED = 0.71  # Zipf frequency of half the end of the large lists, 1 in 100 million
TEN_TIMES = 1.0  # as a difference of Zipf frequencies, which are decimal logarithms


class ListedWord(NamedTuple):
    """A word, its Zipf frequency in each language, and the language that it belongs to, if any.

    A Zipf frequency is the decimal logarithm of occurrences in 10^9 words; 0 is none.
    """

    word: str
    zipf: tuple[float, ...]
    owner: str | None


def list_words(
    languages: Sequence[str], *, least: float, most: int, alphabet: str | None = None
) -> list[ListedWord]:
    """All words that one of the languages has often enough, by falling frequency.

    Args:
        languages: codes that wordfreq knows.
        least: Zipf frequency that a word must have in one of them.
        most: how many words at most belong to a language: the most frequent that are ten times
            as frequent there as in each of the others.
        alphabet: the letters that a word may have; by default all.

    Raises:
        UsageError: a language is none that wordfreq knows.
        DlprojError: wordfreq is not installed.
    """
    lists = [zipf_frequencies(language, alphabet) for language in languages]
    frequent = set[str]().union(
        *([word for word in found if found[word] >= least] for found in lists)
    )
    rows = [(word, tuple(found.get(word, 0.0) for found in lists)) for word in frequent]
    rows.sort(key=lambda row: (-max(row[1]), row[0]))
    return list(_with_owners(rows, languages, most))


def frequency_table(languages: Sequence[str], *, most: int) -> FrequencyTable:
    """The most frequent words of each language, with their occurrences in 10^9 words of each.

    Raises:
        UsageError: a language is none that wordfreq knows.
        DlprojError: wordfreq is not installed.
    """
    lists = [zipf_frequencies(language) for language in languages]
    frequent = set[str]().union(
        *(sorted(found, key=partial(_rank, found))[:most] for found in lists)
    )
    words = sorted(frequent, key=lambda word: (-max(found.get(word, 0) for found in lists), word))
    zipf = np.array([[found.get(word, 0.0) for found in lists] for word in words])
    return FrequencyTable(words, [*languages], np.where(zipf > 0, 10**zipf, 0))


def zipf_frequencies(language: str, alphabet: str | None = None) -> dict[str, float]:
    """Each listed word of 2 to 24 letters, with its Zipf frequency to two decimals."""
    try:
        import wordfreq  # noqa: PLC0415 - an extra
    except ImportError:
        raise DlprojError("word lists need wordfreq: pip install 'dlproj[words]'") from None
    known = wordfreq.available_languages("best")
    if language not in known:
        raise UsageError(f"--languages {language}: must be among {', '.join(sorted(known))}")
    letters = frozenset(alphabet or ())
    return {
        word: round(wordfreq.freq_to_zipf(frequency), 2)
        for word, frequency in wordfreq.get_frequency_dict(language, "best").items()
        if len(word) in LENGTHS and (letters.issuperset(word) if letters else word.isalpha())
    }


def _rank(found: Mapping[str, float], word: str) -> tuple[float, str]:
    return -found[word], word


def _with_owners(
    rows: Iterable[tuple[str, tuple[float, ...]]], languages: Sequence[str], most: int
) -> Iterator[ListedWord]:
    owned = dict.fromkeys(languages, 0)
    for word, zipf in rows:
        *_, second, first = sorted(max(value, UNLISTED) for value in zipf)
        owner = languages[zipf.index(max(zipf))] if round(first - second, 2) >= TEN_TIMES else None
        if owner is not None:
            owned[owner] += 1
        yield ListedWord(word, zipf, owner if owner and owned[owner] <= most else None)

"""Build the shipped word lists from the `wordfreq` package (a development dependency).

Usage: python scripts/build_words.py src/dlproj/data/files/words

A word belongs to a language when it is at least ten times as frequent there as in each of the
other four, by wordfreq's large lists. These end at a frequency of once in a hundred million
words; a word that a list lacks has a frequency between that and none, and is given the middle.
Kept are words of 2 to 24 letters of the course's alphabet (one letter is no evidence, and longer
entries are mostly chains and noise), the most frequent 80,000 of each language.

A word's split is drawn from a hash of its letters: the same in every build, and in one split
only. Each file is sorted by falling frequency and compressed without a time stamp, so every
build gives the same bytes.
"""

import argparse
import gzip
import hashlib
from collections import Counter
from pathlib import Path

import wordfreq

LANGUAGES = ("en", "es", "fi", "nl", "pl")
ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzáäèéêëíïñóöúüąćęłńśźż")
LENGTHS = range(2, 25)
UNLISTED = 0.71  # Zipf frequency (log10 per 10^9 words) of half the end of the lists
TEN_TIMES = 1.0  # as a difference of Zipf frequencies, which are decimal logarithms
MOST = 80_000  # words of a language
SPLITS = {"train": 90, "validation": 5, "test": 5}  # per cent


def split_of(word: str) -> str:
    """The split that a word belongs to, for ever."""
    percentile = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") % 100
    for split, share in SPLITS.items():
        if percentile < share:
            return split
        percentile -= share
    raise AssertionError


def zipf_frequencies(language: str) -> dict[str, float]:
    """Each listed word that can be spelt in the alphabet, with its Zipf frequency."""
    return {
        word: round(wordfreq.freq_to_zipf(frequency), 2)
        for word, frequency in wordfreq.get_frequency_dict(language, "large").items()
        if len(word) in LENGTHS and ALPHABET.issuperset(word)
    }


def distinctive_words() -> list[tuple[float, str, str]]:
    """(-Zipf frequency, word, language) of the words that belong to one language."""
    lists = {language: zipf_frequencies(language) for language in LANGUAGES}
    found = []
    for language, words in lists.items():
        others = [lists[other] for other in LANGUAGES if other != language]
        own = sorted(
            (-zipf, word, language)
            for word, zipf in words.items()
            if round(zipf - max(other.get(word, UNLISTED) for other in others), 2) >= TEN_TIMES
        )
        found += own[:MOST]
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the shipped word lists.")
    parser.add_argument("target", type=Path, help="folder to write the .tsv.gz files to")
    target: Path = parser.parse_args().target
    target.mkdir(parents=True, exist_ok=True)

    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    counts: Counter[tuple[str, str]] = Counter()
    for negative_zipf, word, language in distinctive_words():
        split = split_of(word)
        lines[split].append(f"{word}\t{language}\t{-negative_zipf:.2f}\n")
        counts[split, language] += 1

    for split, rows in lines.items():
        packed = gzip.compress("".join(rows).encode(), compresslevel=9, mtime=0)
        (target / f"{split}.tsv.gz").write_bytes(packed)
        numbers = "  ".join(f"{language} {counts[split, language]:6}" for language in LANGUAGES)
        print(f"{split:10}  {numbers}  {len(packed):7} bytes")
        print(f'  "{split}.tsv.gz": "{hashlib.sha256(packed).hexdigest()}"')


if __name__ == "__main__":
    main()

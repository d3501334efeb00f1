"""Build the shipped word lists from the `wordfreq` package (the extra `words`).

Usage: python scripts/build_words.py src/dlproj/data/files/words

Listed are the words of 2 to 24 letters of the course's alphabet that occur 5 times in 100 million
words, or more often, in one of the five languages: with their frequency in each of them, as a
hundred times its Zipf frequency, 0 where wordfreq's large list lacks the word. A word belongs to
a language when it is at least ten times as frequent there as in each of the other four, and among
the 80,000 most frequent of these; the others have a hyphen in the place of the language.

A word's split is drawn from a hash of its letters: the same in every build, and in one split
only. Rarer words, down to 1 in 100 million, belong to no language and are in no split: they are in
a file of their own, for training alone. Each file is sorted by falling frequency and compressed
without a time stamp, so every build gives the same bytes.
"""

import argparse
import gzip
import hashlib
from collections import Counter
from pathlib import Path

from dlproj.data.word_lists import list_words
from dlproj.data.words import ALPHABET, LANGUAGES

LEAST = 1.7  # Zipf frequency
MOST = 80_000  # words that belong to a language
SPLITS = {"train": 90, "validation": 5, "test": 5}  # per cent


def split_of(word: str) -> str:
    """The split that a word belongs to, for ever."""
    percentile = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") % 100
    for split, share in SPLITS.items():
        if percentile < share:
            return split
        percentile -= share
    raise AssertionError


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the shipped word lists.")
    parser.add_argument("target", type=Path, help="folder to write the .tsv.gz files to")
    target: Path = parser.parse_args().target
    target.mkdir(parents=True, exist_ok=True)

    lines: dict[str, list[str]] = {name: [] for name in (*SPLITS, "rare")}
    counts: Counter[tuple[str, str]] = Counter()
    for word, zipf, owner in list_words([*LANGUAGES], least=0, most=MOST, alphabet=ALPHABET):
        split = split_of(word) if max(zipf) >= LEAST else "rare"
        frequencies = "\t".join(str(round(100 * value)) for value in zipf)
        lines[split].append(f"{word}\t{owner or '-'}\t{frequencies}\n")
        counts[split, owner or "-"] += 1

    for split, rows in lines.items():
        packed = gzip.compress("".join(rows).encode(), compresslevel=9, mtime=0)
        (target / f"{split}.tsv.gz").write_bytes(packed)
        numbers = "  ".join(f"{code} {counts[split, code]:6}" for code in (*LANGUAGES, "-"))
        print(f"{split:10}  {numbers}  {len(packed):7} bytes")
        print(f'  "{split}.tsv.gz": "{hashlib.sha256(packed).hexdigest()}"')


if __name__ == "__main__":
    main()

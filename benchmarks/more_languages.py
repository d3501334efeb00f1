"""A detector of one's own languages beside lingua, on words that it has not seen.

Usage:
    dlproj build-words --languages de,fr,it,pt,sv,da,nb,cs,hu,ro,ca,tr --words 20000 --out words.csv
    dlproj train-langid --recipe best --data words.csv --out runs/twelve
    .venv/bin/python benchmarks/more_languages.py words.csv runs/twelve

Counted are the test words that belong to one language; lingua chooses among the same languages.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench import install_peers, machine, write_section
from langid import PEERS, Detector, ours, spell

from dlproj.data.words import load_words
from dlproj.models.files import load_model


def lingua(codes: list[str]) -> Detector:
    """lingua, of the languages with these codes."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder  # noqa: PLC0415

    chosen = [getattr(IsoCode639_1, code.upper()) for code in codes]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*chosen).build()
    index = {code: number for number, code in enumerate(chosen)}

    def detect(words: Sequence[str]) -> list[int]:
        found = detector.detect_languages_in_parallel_of(list(words))
        return [-1 if each is None else index[each.iso_code_639_1] for each in found]

    return detect


def main() -> None:
    """Score both, by language."""
    parser = argparse.ArgumentParser(description="Score a detector of one's own languages.")
    parser.add_argument("words", type=Path)
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    install_peers(*PEERS)
    data = load_words(arguments.words)
    test = data.test.of_one_language()
    words, labels = spell(test, data.alphabet), test.labels.tolist()
    detectors = {
        "dlproj": ours(load_model(arguments.run)[0], data.alphabet),
        "lingua": lingua(data.names),
    }
    right = {
        name: [one == other for one, other in zip(detect(words), labels, strict=True)]
        for name, detect in detectors.items()
    }
    lines = ["| | test words | dlproj | lingua |", "| --- | ---: | ---: | ---: |"]
    for number, code in [*enumerate(data.names), (None, "all")]:
        rows = [row for row, label in enumerate(labels) if number in {label, None}]
        shares = [f"{sum(hits[row] for row in rows) / len(rows):.1%}" for hits in right.values()]
        lines.append(f"| {code} | {len(rows):,} | {' | '.join(shares)} |")
    table = "\n".join(lines)
    write_section(
        "Twelve other languages",
        f"`benchmarks/more_languages.py`, as it says at its head, on {machine()}.\n\n{table}",
    )


if __name__ == "__main__":
    main()

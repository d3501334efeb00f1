"""How many digits are read on pictures, kind by kind, and how sure the network is of them.

Usage: .venv/bin/python benchmarks/pictures.py [--model MODEL] [--each 40] [--seed 0]

The pictures are made of MNIST's test digits; scikit-learn's digits are a kind of their own. A
picture counts as read if the whole number on it is; one without a digit, if it is refused.
"""

import argparse
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bench import machine, write_section
from picture_files import Source, read, sklearn_pictures
from picture_kinds import KINDS
from picture_more import MORE
from torch import Tensor

from dlproj.data.digits import load_digits
from dlproj.tools.digit_reader import DigitReader
from dlproj.training.device import choose_machine

BINS = 15  # of confidence
SKLEARN = "scikit-learn's 8x8 digits"


@dataclass
class Tally:
    """What came of the pictures of one kind."""

    kind: str
    right: int = 0
    pictures: int = 0

    def row(self) -> str:
        """Its line of the table."""
        return f"| {self.kind} | {self.right} of {self.pictures} |"


class Readings:
    """Reads pictures, counts those that are read, and keeps the logits of single digits."""

    def __init__(self, reader: DigitReader) -> None:
        self._reader = reader
        self.probabilities: list[dict[str, float]] = []
        self.labels: list[str] = []

    def read(self, name: str, pictures: Iterable[tuple[Path, str]], *, several: bool) -> Tally:
        """Read the pictures of one kind."""
        tally = Tally(name)
        for path, number in pictures:
            found = read(self._reader, path, several=several)
            tally.pictures += 1
            tally.right += "".join(one.label for one in found) == number
            if len(found) == len(number) == 1:
                self.probabilities.append(found[0].probabilities)
                self.labels.append(number)
        print(tally.row(), flush=True)
        return tally

    def calibration_errors(self) -> tuple[float, float]:
        """Expected calibration error before and after the temperature."""
        after = torch.tensor([[*row.values()] for row in self.probabilities])
        names = [*self.probabilities[0]]
        labels = torch.tensor([names.index(label) for label in self.labels])
        before = (after.log() * self._reader.temperature).softmax(1)
        right = after.argmax(1) == labels
        return calibration_error(before.amax(1), right), calibration_error(after.amax(1), right)


def calibration_error(confidences: Tensor, right: Tensor) -> float:
    """Expected calibration error in bins of the same width (Guo et al. 2017)."""
    bins = (confidences * BINS).long().clamp(max=BINS - 1)
    error = 0.0
    for number in bins.unique():
        inside = bins == number
        gap = confidences[inside].mean() - right[inside].float().mean()
        error += float(gap.abs() * inside.float().mean())
    return error


def table(tallies: list[Tally]) -> str:
    """All kinds, and their sum."""
    total = Tally("all", sum(t.right for t in tallies), sum(t.pictures for t in tallies))
    return "\n".join(["| kind | read |", "| --- | ---: |", *(t.row() for t in [*tallies, total])])


def main() -> None:
    """Read the pictures and print the tables."""
    parser = argparse.ArgumentParser(description="Read pictures of digits, kind by kind.")
    parser.add_argument("--model", type=Path, help="by default the network that ships")
    parser.add_argument("--each", type=int, default=40, help="pictures of a kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    readings = Readings(DigitReader(arguments.model, choose_machine("cpu", "fp32")))
    source = Source(load_digits().test, np.random.default_rng(arguments.seed), wild=False)
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        for kinds in (KINDS, MORE):
            tallies = [
                readings.read(
                    name,
                    source.pictures(kind, arguments.each, Path(folder)),
                    several=kind.digits > 1,
                )
                for name, kind in kinds.items()
            ]
            if kinds is KINDS:
                enlarged = sklearn_pictures(5 * arguments.each, Path(folder))
                tallies.append(readings.read(SKLEARN, enlarged, several=False))
            tables.append(table(tallies))
    before, after = readings.calibration_errors()
    write_section(
        "Pictures of digits",
        f"`.venv/bin/python benchmarks/pictures.py --each {arguments.each} --seed "
        f"{arguments.seed}`, on {machine()}. Expected calibration error on all pictures of one "
        f"digit, in {BINS} bins: {before:.2%} before the temperature, {after:.2%} after.\n\n"
        f"{tables[0]}\n\nKinds that nothing was tuned to:\n\n{tables[1]}",
    )


if __name__ == "__main__":
    main()

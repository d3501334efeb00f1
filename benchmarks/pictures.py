"""How many digits are read on pictures, kind by kind, and how sure the network is of them.

Usage: .venv/bin/python benchmarks/pictures.py [--model MODEL] [--each 40] [--seed 0] [--jobs 2]
           [--further]

The pictures are made of MNIST's test digits; scikit-learn's digits are a kind of their own. A
picture counts as read if the whole number on it is; one without a digit, if it is refused.
"""

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from bench import install_peers, machine, write_section
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
    """What came of the pictures of one kind.

    Args:
        kind: its name.
        right: pictures that were read, or refused where they hold no digit.
        pictures: all of them.
        sure: of each digit that was read alone, its probabilities without and with the
            temperature, and the place of the true label among them.
    """

    kind: str
    right: int = 0
    pictures: int = 0
    sure: list[tuple[list[float], list[float], int]] = field(default_factory=list)

    def row(self) -> str:
        """Its line of the table."""
        return f"| {self.kind} | {self.right} of {self.pictures} |"


def tally(name: str, *, model: Path | None, each: int, seed: int) -> Tally:
    """Read the pictures of one kind."""
    reader = DigitReader(model, choose_machine("cpu", "fp32", threads=1))
    made = Tally(name)
    names = [*KINDS, *MORE, SKLEARN]
    source = Source(
        load_digits().test, np.random.default_rng([seed, names.index(name)]), wild=False
    )
    with tempfile.TemporaryDirectory() as folder:
        kind = (KINDS | MORE).get(name)
        pictures: Iterable[tuple[Path, str]] = (
            source.pictures(kind, each, Path(folder))
            if kind
            else sklearn_pictures(2 * each, Path(folder))
        )
        for path, number in pictures:
            found = read(reader, path, several=bool(kind and kind.digits > 1))
            made.pictures += 1
            made.right += "".join(one.label for one in found) == number
            if len(found) == len(number) == 1:
                after = torch.tensor([*found[0].probabilities.values()], dtype=torch.float64)
                before = (after.log() * reader.temperature).softmax(0)
                label = [*found[0].probabilities].index(number)
                made.sure.append((before.tolist(), after.tolist(), label))
    return made


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Expected calibration error in bins of the same width (Guo et al. 2017).

    Args:
        probabilities: (pictures, classes).
        labels: (pictures,).
    """
    confidences, classes = probabilities.max(1)
    right = (classes == labels).double()
    bins = (confidences * BINS).long().clamp(max=BINS - 1)
    error = 0.0
    for number in bins.unique():
        inside = bins == number
        gap = confidences[inside].mean() - right[inside].mean()
        error += float(gap.abs() * inside.double().mean())
    return error


def table(tallies: Sequence[Tally]) -> str:
    """All kinds, and their sum."""
    total = Tally("all", sum(t.right for t in tallies), sum(t.pictures for t in tallies))
    return "\n".join(["| kind | read |", "| --- | ---: |", *(t.row() for t in [*tallies, total])])


def main() -> None:
    """Read the pictures and print the tables."""
    parser = argparse.ArgumentParser(description="Read pictures of digits, kind by kind.")
    parser.add_argument("--model", type=Path, help="by default the network that ships")
    parser.add_argument("--each", type=int, default=40, help="pictures of a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="kinds at once")
    parser.add_argument("--further", action="store_true", help="kinds of picture_more instead")
    arguments = parser.parse_args()
    kinds = [*MORE] if arguments.further else [*KINDS, SKLEARN]
    install_peers("scikit-learn", dependencies=False)  # before there are several processes
    one = partial(tally, model=arguments.model, each=arguments.each, seed=arguments.seed)
    tallies = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for made in pool.map(one, kinds):
            print(made.row(), flush=True)
            tallies.append(made)
    before, after, labels = zip(*(one for made in tallies for one in made.sure), strict=True)
    errors = [calibration_error(torch.tensor(p), torch.tensor(labels)) for p in (before, after)]
    write_section(
        "Further pictures of digits" if arguments.further else "Pictures of digits",
        f"`.venv/bin/python benchmarks/pictures.py --each {arguments.each} --seed "
        f"{arguments.seed}{' --further' if arguments.further else ''}`, on {machine()}. Expected "
        f"calibration error on the {len(labels):,} pictures of one digit that were read, in "
        f"{BINS} bins: {errors[0]:.2%} without the temperature, {errors[1]:.2%} with it.\n\n"
        f"{table(tallies)}",
    )


if __name__ == "__main__":
    main()

"""Files of pictures, and what is read of them: for the benchmark and the calibration."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench import PEERS, install_peers
from picture_kinds import Kind, draw, eight_bits

from dlproj.data.digits import Images
from dlproj.data.pictures import NoDigitError, open_picture
from dlproj.tools.digit_reader import DigitPrediction, DigitReader


@dataclass(frozen=True)
class Source:
    """Digits to make pictures of, and how."""

    images: Images
    rng: np.random.Generator
    wild: bool

    def pictures(self, kind: Kind, count: int, folder: Path) -> Iterator[tuple[Path, str]]:
        """Files of a kind, each with the number on it."""
        path = folder / f"picture{kind.suffix}"
        for _ in range(count):
            chosen = self.rng.integers(len(self.images), size=max(1, kind.digits))
            digits = [self.images.pictures[int(i)].numpy() / 255 for i in chosen]
            kind.make(draw(digits, self.rng, wild=self.wild)).save(path)
            number = "".join(str(int(self.images.labels[int(i)])) for i in chosen)
            yield path, number if kind.digits else ""


def sklearn_pictures(count: int, folder: Path) -> Iterator[tuple[Path, str]]:
    """scikit-learn's digits of 8x8 pixels, enlarged to 240, dark on white."""
    install_peers("scikit-learn", dependencies=False)
    with gzip.open(PEERS / "sklearn" / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        rows = np.loadtxt(file, delimiter=",")
    path = folder / "picture.png"
    for row in rows[:: len(rows) // count][:count]:
        eight_bits(1 - row[:64].reshape(8, 8) / 16).resize((240, 240)).save(path)
        yield path, str(int(row[64]))


def read(reader: DigitReader, path: Path, *, several: bool) -> list[DigitPrediction]:
    """What is read on a picture; nothing if it is refused."""
    try:
        return reader.read_picture(
            open_picture(path), path.name, several=several, remark=lambda _: None
        ).predictions
    except NoDigitError:
        return []

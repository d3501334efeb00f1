"""How sure of itself the network for pictures may be: what ships beside its weights.

Usage: .venv/bin/python benchmarks/calibrate_pictures.py RUN [--each 25] >NOTE.json

The temperature is chosen on pictures, the threshold on digits and other shapes drawn with many
pens. Both are made of the 5,000 training digits that `--validation 5000` holds out, from wider
ranges of sizes, ink and noise than those of the benchmark. RUN, a directory, never saw them and has
neither temperature nor threshold yet.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from picture_files import Source, read
from picture_kinds import KINDS
from torch import Tensor

from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.pens import pen_strokes, shapes
from dlproj.tools.digit_reader import DigitReader
from dlproj.training.device import choose_machine

TEMPERATURES = torch.linspace(0.2, 3, 281)
LEVELS = torch.linspace(0.2, 0.99, 159)


def digits_read(reader: DigitReader, source: Source, each: int) -> tuple[Tensor, Tensor]:
    """Logits, up to a constant, of the digit that is read on each picture of one, and its label."""
    logits, labels = [], []
    with tempfile.TemporaryDirectory() as folder:
        for kind in (kind for kind in KINDS.values() if kind.digits == 1):
            for path, number in source.pictures(kind, each, Path(folder)):
                for found in read(reader, path, several=False):
                    logits.append(torch.tensor([*found.probabilities.values()]).log())
                    labels.append(int(number))
    return torch.stack(logits), torch.tensor(labels)


def best_temperature(logits: Tensor, labels: Tensor) -> float:
    """What logits are divided by for the least cross-entropy (Guo et al. 2017)."""
    losses = torch.stack([F.cross_entropy(logits / t, labels) for t in TEMPERATURES])
    return float(TEMPERATURES[losses.argmin()])


def of_two(logits: Tensor) -> Tensor:
    """The probability of the two likeliest labels together: (images,)."""
    return logits.softmax(1).topk(2).values.sum(1)


def best_level(digits: Tensor, others: Tensor) -> float:
    """What fewest digits are below and fewest other shapes are above."""
    faults = [
        (digits < level).float().mean() + (others >= level).float().mean() for level in LEVELS
    ]
    return float(LEVELS[torch.stack(faults).argmin()])


def main() -> None:
    """Choose both and print them as JSON."""
    parser = argparse.ArgumentParser(description="Calibrate the network for pictures.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--each", type=int, default=25, help="pictures of a kind")
    arguments = parser.parse_args()
    reader = DigitReader(arguments.run, choose_machine("cpu", "fp32"))
    held_out = load_digits(validation=5000).validation
    source = Source(held_out, np.random.default_rng(1), wild=True)
    logits, labels = digits_read(reader, source, arguments.each)
    temperature = best_temperature(logits, labels)
    generator = torch.Generator().manual_seed(1)
    others = pen_strokes(shapes(to_pixels(held_out.pictures[:1000]), generator), generator)
    digits = pen_strokes(to_pixels(held_out.pictures[1000:2000]), generator)
    level = best_level(*(of_two(reader.logits(made) / temperature) for made in (digits, others)))
    print(json.dumps({"temperature": round(temperature, 2), "least_of_two": round(level, 3)}))


if __name__ == "__main__":
    main()

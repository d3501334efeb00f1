"""What checkpoints cost: the time of one, as a share of the 30 seconds between two.

Usage: .venv/bin/python benchmarks/checkpoints.py

Each training is saved after each of its first steps. Prints the median.
"""

import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from unittest import mock

from dlproj.__main__ import main as dlproj
from dlproj.configuration.session import Session
from dlproj.running import training
from dlproj.store.runs import CHECKPOINT, RunDir
from dlproj.training.loop import Training

TRAININGS = (
    "train-digits",
    "train-digits --adversarial",
    "train-regression",
    "train-langid --data words.csv",
    "train-langid --recipe best --data words.csv",
)
SAVES = 10


class EnoughError(Exception):
    """So many were measured."""


def measure(line: str, number: int) -> tuple[float, int]:
    """The median seconds of a checkpoint of a training, and its bytes."""
    seconds, save = [], training._save

    def timed(state: Training, run: RunDir) -> None:
        started = time.perf_counter()
        save(state, run)
        seconds.append(time.perf_counter() - started)
        if len(seconds) == SAVES:
            raise EnoughError

    session = ["--quiet", "--json", "--no-plots", "--checkpoint-every", "1", "--out", str(number)]
    with mock.patch.object(training, "_save", timed):
        sys.argv = ["dlproj", *line.split(), *session]
        with suppress(EnoughError):
            dlproj()
    return statistics.median(seconds), (Path(str(number)) / CHECKPOINT).stat().st_size


def main() -> None:
    """Measure all and print a table."""
    interval = Session().checkpoint_every.seconds or 0.0
    os.chdir(tempfile.mkdtemp(dir="."))
    words = "".join(f"{'ab' * (n % 3 + 1)}{n:03d},{n % 2}\n" for n in range(400))
    Path("words.csv").write_text(words)
    print("| training | checkpoint | time | share of the time |")
    print("| --- | ---: | ---: | ---: |")
    for number, line in enumerate(TRAININGS):
        seconds, size = measure(line, number)
        print(
            f"| `{line}` | {size / 1e6:.2f} MB | {seconds * 1000:.0f} ms "
            f"| {seconds / interval:.2%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

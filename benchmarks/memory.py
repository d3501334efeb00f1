"""How much memory each command takes at the most, and how long it takes to start.

Usage: .venv/bin/python benchmarks/memory.py

Each command is a process of its own with its default settings and figures, less of what would
only take longer: fewer seeds and rates of the ablation. The peak is of resident memory, as the
system counts it for the process and those that it started. The table goes into RESULTS.md.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import machine, write_section
from PIL import Image

COMMANDS = (
    "--help",
    "--version",
    "train-digits",
    "train-digits --recipe fast",
    "train-digits --recipe best --epochs 1",
    "train-digits --adversarial --epochs 1",
    "ablate-batchnorm --lr 0.02 --seeds 2",
    "train-regression",
    "train-regression --recipe best",
    "attack --epsilon 0.1",
    "attack --diagnose",
    "train-langid",
    "train-langid --recipe best",
    "predict-digit digit.png",
    "predict-langid --file words.txt",
    "report",
)
WORDS = 100_000  # of predict-langid


def peak(command: str, folder: str) -> tuple[int, float]:
    """Largest resident memory in bytes, and seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dlproj", *command.split()], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command  # noqa: S101
    return usage.ru_maxrss * 1024, time.perf_counter() - started


def main() -> None:
    """Run every command and write the table."""
    lines = ["| command | peak memory | whole process |", "| --- | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        Image.new("L", (28, 28), 200).save(Path(folder) / "digit.png")
        words = "\n".join(f"{number:x}woord" for number in range(WORDS))
        (Path(folder) / "words.txt").write_text(words)
        for command in COMMANDS:
            size, seconds = peak(command, folder)
            lines.append(f"| `{command}` | {size / 1e6:,.0f} MB | {seconds:.2f} s |")
            print(lines[-1], file=sys.stderr)
    write_section(
        "Memory",
        f"`.venv/bin/python benchmarks/memory.py`, on {machine()}. `words.txt` holds {WORDS:,} "
        "words.\n\n" + "\n".join(lines),
    )


if __name__ == "__main__":
    main()

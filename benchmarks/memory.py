"""How much memory each command takes at the most.

Usage: .venv/bin/python benchmarks/memory.py

Each command is a process of its own with its default settings and figures, less of what would
only take longer: fewer seeds and rates of the ablation. The peak is of resident memory, as the
system counts it, of the largest process of the command. The table goes into RESULTS.md.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench import machine, write_section
from PIL import Image

COMMANDS = (
    "--help",
    "--version",
    "attack --epsilon 0.1",  # before networks are trained here: what ships is attacked
    "attack",
    "attack --diagnose",
    "train-digits",
    "train-digits --recipe fast",
    "train-digits --recipe best --epochs 1",
    "train-digits --adversarial --epochs 1",
    "ablate-batchnorm --lr 0.02 --seeds 2",
    "train-regression",
    "train-regression --recipe best",
    "train-langid",
    "train-langid --recipe best",
    "predict-digit digit.png",
    "predict-langid --file words.txt",
    "report",
)
WORDS = 100_000  # of predict-langid
# In a process of its own, which is small: until it is exchanged for the command, a child counts as
# large as its parent.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(command: str, folder: str) -> int:
    """Largest resident memory in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, "-m", "dlproj", *command.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) * 1024


def main() -> None:
    """Run every command and write the table."""
    lines = ["| command | peak memory |", "| --- | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        digit = Image.new("L", (28, 28), 200)
        digit.paste(0, (12, 4, 16, 24))
        digit.save(Path(folder) / "digit.png")
        words = "\n".join(f"{number:x}woord" for number in range(WORDS))
        (Path(folder) / "words.txt").write_text(words)
        for command in COMMANDS:
            lines.append(f"| `{command}` | {peak(command, folder) / 1e6:,.0f} MB |")
            print(lines[-1], file=sys.stderr)
    write_section(
        "Memory",
        f"`.venv/bin/python benchmarks/memory.py`, on {machine()}. `words.txt` holds {WORDS:,} "
        "words.\n\n" + "\n".join(lines),
    )


if __name__ == "__main__":
    main()

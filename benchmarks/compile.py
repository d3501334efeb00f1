"""Whether torch.compile makes `train-digits` faster, with the time that it takes to compile.

Usage: .venv/bin/python benchmarks/compile.py [--repeats 3]

The report's network learns for one epoch with the settings of `train-digits`, as it is and
compiled, each in a process of its own with an empty cache of compiled code, by turns. It needs a
C++ compiler. Times are medians over the repeats. The table goes into benchmarks/RESULTS.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from bench import digits_training, machine, write_section

from dlproj.__main__ import WAITING
from dlproj.settings import DigitsConfig

NAMES = {"as it is": False, "compiled": True}


def train(*, compiled: bool) -> dict[str, float]:
    """One epoch: seconds of the first step, in which it is compiled, and of all."""
    training, steps = digits_training(DigitsConfig())
    if compiled:
        training.model.compile()
    started = time.perf_counter()
    next(steps)
    first = time.perf_counter() - started
    others = sum(1 for _ in steps)
    seconds = time.perf_counter() - started
    return {"first": first, "rest": others / (seconds - first), "all": seconds}


def timed(*, compiled: bool) -> dict[str, float]:
    """One measurement in a process that finds no compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, "--train", str(int(compiled))],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | WAITING | {"TORCHINDUCTOR_CACHE_DIR": folder},
        )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def main() -> None:
    """Measure by turns and print the table."""
    parser = argparse.ArgumentParser(description="Time train-digits with torch.compile.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--train", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train is not None:
        print(json.dumps(train(compiled=bool(arguments.train))))
        return
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    for repeat in range(arguments.repeats):
        for name, compiled in NAMES.items():
            measured[name].append(timed(compiled=compiled))
            print(f"{name}, {repeat + 1}: {measured[name][-1]}", file=sys.stderr)
    lines = ["| | first step | steps/s after it | whole epoch |", "| --- | ---: | ---: | ---: |"]
    for name, runs in measured.items():
        first, rest, whole = (statistics.median(run[key] for run in runs) for key in runs[0])
        lines.append(f"| {name} | {first:.1f} s | {rest:.0f} | {whole:.1f} s |")
    write_section(
        "torch.compile",
        f"`.venv/bin/python benchmarks/compile.py --repeats {arguments.repeats}`, on {machine()}. "
        f"Medians of {arguments.repeats} runs by turns.\n\n" + "\n".join(lines),
    )


if __name__ == "__main__":
    main()

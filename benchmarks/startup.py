"""Where the seconds of a whole command go, figures included.

Usage: .venv/bin/python benchmarks/startup.py [--repeats N]

Each command is a process of its own; they take turns with one that does nothing but import torch.
Within a command, functions are watched by what they are for, and the innermost counts. What is left
of the process is Python itself, which starts, and takes everything down at the end. The last row is
the goal: all but training or attack in multiples of that bare import. Medians go into RESULTS.md.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

COMMANDS = (
    "train-digits --recipe fast",
    "train-digits",
    "attack --epsilon 0.1",
    "train-regression",
)
PYTHON, TORCH, IMPORTS = "Python: start and end", "import torch", "other imports"
WORK, EVALUATION, REST = "training or attack", "evaluation", "the rest"
ROWS = (PYTHON, TORCH, IMPORTS, "data", WORK, EVALUATION, "figures", "files", REST)
OF = {"train-digits": "digits", "attack": "attack", "train-regression": "regression"}
PURPOSES = {  # of functions, by the modules in which they are looked up
    "dlproj.experiments.digits": {
        "data": ["load_digits"],
        WORK: ["train"],
        EVALUATION: ["classify", "score_digits"],
    },
    "dlproj.experiments.attack": {
        "data": ["images_for", "load_model"],
        WORK: ["attack_in_turn"],
        EVALUATION: ["score", "check", "find_doubts"],
    },
    "dlproj.experiments.attack_batches": {EVALUATION: ["predict"]},
    "dlproj.experiments.regression": {
        "data": ["load_curve"],
        WORK: ["train"],
        EVALUATION: ["predict"],
    },
    "dlproj.output.figures.digits": {"figures": ["draw"]},
    "dlproj.output.figures.attack": {"figures": ["draw"]},
    "dlproj.output.figures.regression": {"figures": ["draw"]},
    "dlproj.output.figures.fonts": {"figures": ["find_fonts"]},
    "dlproj.store.runs": {"files": ["write_file"]},
}


class Watch:
    """Seconds by purpose; what is within another counts for the inner one alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._purposes = [REST]
        self._since = time.perf_counter()

    def count(self) -> None:
        """Count what has passed."""
        now = time.perf_counter()
        self.seconds[self._purposes[-1]] += now - self._since
        self._since = now

    @contextmanager
    def of(self, purpose: str) -> Iterator[None]:
        """Count this block."""
        self.count()
        self._purposes.append(purpose)
        try:
            yield
        finally:
            self.count()
            self._purposes.pop()

    def function(self, module: str, name: str, purpose: str) -> None:
        """Count each call of a function, and what it yields."""
        watched: Callable[..., Any] = getattr(import_module(module), name)

        @wraps(watched)
        def call(*arguments: Any, **options: Any) -> Any:
            with self.of(purpose):
                made = watched(*arguments, **options)
                return list(made) if isinstance(made, Iterator) else made

        setattr(import_module(module), name, call)


def watched(command: list[str], seconds: Path) -> None:
    """Run a command in this process, which has imported nothing of it yet."""
    watch, task = Watch(), OF[command[0]]
    with watch.of(IMPORTS):
        from dlproj.__main__ import NEW_OBJECTS, WAITING, main  # noqa: PLC0415 - is measured

        gc.set_threshold(NEW_OBJECTS)
        os.environ |= WAITING
        import_module("dlproj.cli")
        with watch.of(TORCH):
            import_module("torch")
        for module in ("running.perform", f"experiments.{task}", f"output.figures.{task}"):
            import_module(f"dlproj.{module}")
        import_module("dlproj.output.figures.fonts")
    for module, purposes in PURPOSES.items():
        for purpose, names in purposes.items():
            for name in names if module in sys.modules else ():
                watch.function(module, name, purpose)
    sys.argv = ["dlproj", *command]
    try:
        main()
    finally:
        watch.count()
        seconds.write_text(json.dumps(watch.seconds))


def whole(*command: str, folder: str) -> float:
    """Seconds that a process takes."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # as users have it
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *command], check=True, capture_output=True, cwd=folder, env=environment
    )
    return time.perf_counter() - started


def measured(command: str) -> dict[str, float]:
    """Seconds by purpose, of one run."""
    with tempfile.TemporaryDirectory() as folder:
        line = [*command.split(), "--quiet", "--out", "run"]
        seconds = whole(__file__, "--work", *line, folder=folder)
        found: dict[str, float] = json.loads((Path(folder) / "seconds.json").read_text())
        timing = json.loads((Path(folder) / "run/result.json").read_text())["timing"]
    found[PYTHON] = seconds - sum(found.values())
    work = timing.get("train_seconds", timing.get("attack_seconds"))
    return {**found, "whole process": seconds, "work": work}


def table(runs: dict[str, list[dict[str, float]]], torch: float) -> str:
    """The medians as Markdown."""
    rows = (*ROWS, "whole process")
    middle = {
        row: [statistics.median(one.get(row, 0.0) for one in own) for own in runs.values()]
        for row in (*rows, "work")
    }
    lines = [f"| seconds | {' | '.join(f'`{name}`' for name in runs)} |"]
    lines.append("| --- " + "| ---: " * len(runs) + "|")
    lines += [f"| {row} | {' | '.join(f'{one:.2f}' for one in middle[row])} |" for row in rows]
    pairs = zip(middle["whole process"], middle["work"], strict=True)
    beside = " | ".join(f"{(whole - work) / torch:.2f}" for whole, work in pairs)
    lines.append(f"| all but {WORK}, in bare imports of torch | {beside} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="Show where the seconds of commands go.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        watched(options.work, Path("seconds.json"))
    from bench import machine, write_section  # noqa: PLC0415 - imports torch

    runs: dict[str, list[dict[str, float]]] = {command: [] for command in COMMANDS}
    bare = []
    for turn in range(options.repeats + 1):
        torch = whole("-c", "import torch", folder=".")
        found = {command: measured(command) for command in COMMANDS}
        if turn:  # the first only compiles and fills caches
            bare.append(torch)
            for command, one in found.items():
                runs[command].append(one)
                print(command, one, file=sys.stderr)
    torch = statistics.median(bare)
    write_section(
        "Where the seconds of a command go",
        f"`.venv/bin/python benchmarks/startup.py --repeats {options.repeats}`, on {machine()}. "
        f"Medians of {options.repeats} by turns. A process that does nothing but `import torch` "
        f"takes {torch:.2f} s.\n\n{table(runs, torch)}",
    )


if __name__ == "__main__":
    main()

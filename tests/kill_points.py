"""Run a training once for each point where it touches the disk, and stop it exactly there.

Usage: python tests/kill_points.py kill|full|damaged FOLDER

`run_dir` alone writes, through `os.fsync`, `os.fdopen`, `Path.replace`, `Path.open` and the like.
Each such call is a point. A child process is stopped just before the point numbered k, for every
k: by SIGKILL, by the error of a full disk, or by SIGKILL while it resumes a run whose newest
checkpoint is damaged. Then the run is resumed, or started anew where nothing was begun, and its
files are compared with those of a run that was left alone. Prints a JSON object: how many points
there were, and what was wrong.
"""

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from dlproj.store.runs import CHECKPOINT
from tests.forked import dlproj, fork, warm_up

START = "train-regression --epochs 1 --batch-size 1024 --out run"
RESUME = "train-regression --resume run"
SESSION = ("--no-plots", "--quiet", "--checkpoint-every", "1")
FILES = ("config.json", "metrics.jsonl", "model.safetensors", "predictions.safetensors")


def watched(act: Callable[[str], None]) -> list[Any]:
    """What calls `act` before everything that `run_dir` does to the disk."""

    def before(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            act(name)
            return function(*arguments, **options)

        return call

    return [
        mock.patch.object(os, "fsync", before("fsync", os.fsync)),
        mock.patch.object(os, "fdopen", before("write", os.fdopen)),
        mock.patch.object(tempfile, "mkstemp", before("create", tempfile.mkstemp)),
        mock.patch.object(Path, "replace", before("rename", Path.replace)),
        mock.patch.object(Path, "mkdir", before("mkdir", Path.mkdir)),
        mock.patch.object(Path, "open", before("open", Path.open)),
    ]


def stopped(number: int, kind: str, folder: Path) -> int:
    """Run the command in a fork, stopped at a point. Returns how it ended."""
    reached, seen = folder / "reached", 0

    def act(name: str) -> None:
        nonlocal seen
        seen += 1
        with open(reached, "a") as file:  # noqa: PTH123 - Path.open is watched
            file.write(f"{name}\n")
        if seen == number and kind != "full":
            os.kill(os.getpid(), signal.SIGKILL)
        if seen >= number > 0 and kind == "full":
            raise OSError(errno.ENOSPC, "No space left on device")

    def run() -> int:
        for patch in watched(act):
            patch.start()
        return dlproj(*(RESUME if kind == "damaged" else START).split(), *SESSION)

    if kind == "damaged":
        damage_newest(folder)
    return fork(folder, run)


def damage_newest(folder: Path) -> None:
    """A run without a result, whose newest checkpoint is damaged."""
    run = folder / "run"
    shutil.copytree(folder.parent / "whole" / "run", run)
    (run / "result.json").unlink()
    (run / "model.safetensors").unlink()
    (run / CHECKPOINT).write_bytes(b"damaged")


def problem(number: int, kind: str, folder: Path) -> str | None:
    """What was wrong with the run that was stopped at a point, and with going on from it."""
    place = folder / f"{kind}-{number}"
    code = stopped(number, kind, place)
    err = (place / "err").read_text()
    if kind != "full" and code != -signal.SIGKILL:
        return f"was not killed: {code}"
    if kind == "full" and (code != 1 or err.count("\n") != 1):
        return f"ended with {code}: {err}"
    run = place / "run"
    resumable = (run / "config.json").exists()
    if not resumable and run.exists():  # killed between making the folder and its first file
        shutil.rmtree(run)
    if fork(place, lambda: dlproj(*(RESUME if resumable else START).split(), *SESSION)) != 0:
        return "could not go on: " + (place / "err").read_text()
    whole = folder / "whole" / "run"
    for name in FILES:
        if (whole / name).exists() and (run / name).read_bytes() != (whole / name).read_bytes():
            return f"{name} differs"
    shutil.rmtree(place)
    return None


def run_all(kind: str, folder: Path) -> dict[str, Any]:
    """Every point, and the problems found."""
    warm_up(folder)
    assert stopped(0, "none", folder / "whole") == 0
    place = folder / "whole"
    if kind == "damaged":
        place = folder / "resumed"
        assert stopped(0, kind, place) == 0
    names = (place / "reached").read_text().split()
    problems = {}
    for number, name in enumerate(names, 1):
        found = problem(number, kind, folder)
        if found:
            problems[f"{number} {name}"] = found
    return {"points": len(names), "names": sorted(set(names)), "problems": problems}


if __name__ == "__main__":
    print(json.dumps(run_all(sys.argv[1], Path(sys.argv[2]).resolve())))

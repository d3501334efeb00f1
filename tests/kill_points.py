"""Run a training once for each point where it touches the disk, and stop it exactly there.

Usage: python tests/kill_points.py kill|full FOLDER

`run_dir` alone writes, through `os.fsync`, `os.fdopen`, `Path.replace`, `Path.open` and the like.
Each such call is a point. A child process is stopped just before the point numbered k, for every
k: by SIGKILL, or by the error of a full disk. Then the run is resumed, or started anew where
nothing was begun, and its files are compared with those of a run that was left alone. Prints a
JSON object: how many points there were, and what was wrong.
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

import torch

from dlproj.__main__ import main

COMMAND = ["train-regression", "--epochs", "1", "--batch-size", "1024", "--no-plots", "--quiet",
           "--checkpoint-every", "1"]  # fmt: skip
FILES = ("config.json", "metrics.jsonl", "model.safetensors", "predictions.safetensors")


def dlproj(*arguments: str) -> int:
    """Run a command in this process."""
    sys.argv = ["dlproj", *arguments]
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError


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


def child(number: int, kind: str, folder: Path, reached: Path) -> int:
    """Fork; run the command, stopped at a point. Returns how the child ended, as wait says it."""
    process = os.fork()
    if process:
        return os.waitpid(process, 0)[1]
    os.chdir(folder)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(os.open("err", os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 2)
    seen = 0

    def act(name: str) -> None:
        nonlocal seen
        seen += 1
        with open(reached, "a") as file:  # noqa: PTH123 - Path.open is watched
            file.write(f"{name}\n")
        if seen == number and kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if seen >= number > 0 and kind == "full":
            raise OSError(errno.ENOSPC, "No space left on device")

    for patch in watched(act):
        patch.start()
    os._exit(dlproj(*COMMAND, "--out", "run"))


def points(folder: Path) -> list[str]:
    """The points of a run that is left alone."""
    (folder / "whole").mkdir()
    assert dlproj(*COMMAND, "--out", str(folder / "first")) == 0  # imports what is imported late
    reached = folder / "points"
    assert child(0, "none", folder / "whole", reached) == 0
    return reached.read_text().split()


def problem(number: int, kind: str, folder: Path) -> str | None:
    """What was wrong with the run that was stopped at a point, and with going on from it."""
    place = folder / f"{kind}-{number}"
    place.mkdir()
    status = child(number, kind, place, place / "reached")
    err = (place / "err").read_text()
    if kind == "kill" and not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
        return f"was not killed: {status}"
    if kind == "full" and (os.waitstatus_to_exitcode(status) != 1 or err.count("\n") != 1):
        return f"ended with {status}: {err}"
    os.chdir(place)
    run = place / "run"
    resumable = (run / "config.json").exists()
    again = ["--resume", "run"] if resumable else ["--out", "run"]
    if not resumable and run.exists():  # killed between making the folder and its first file
        shutil.rmtree(run)
    flags = COMMAND[-4:] if resumable else COMMAND[1:]
    if dlproj("train-regression", *flags, *again) != 0:
        return "could not go on"
    whole = folder / "whole" / "run"
    for name in FILES:
        if (whole / name).exists() and (run / name).read_bytes() != (whole / name).read_bytes():
            return f"{name} differs"
    shutil.rmtree(place)
    return None


def run_all(kind: str, folder: Path) -> dict[str, Any]:
    """Every point, and the problems found."""
    torch.set_num_threads(1)
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    names = points(folder)
    problems = {}
    for number, name in enumerate(names, 1):
        found = problem(number, kind, folder)
        if found:
            problems[f"{number} {name}"] = found
    os.dup2(out, 1)
    return {"points": len(names), "names": sorted(set(names)), "problems": problems}


if __name__ == "__main__":
    print(json.dumps(run_all(sys.argv[1], Path(sys.argv[2]).resolve())))

"""Commands in forks of a process that has imported everything: each costs milliseconds to start."""

import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch

from dlproj.__main__ import main

WARM_UP = ("train-regression", "--epochs", "1", "--quiet", "--json", "--out")


def dlproj(*arguments: object) -> int:
    """Run a command in this process. Returns its exit code."""
    sys.argv = ["dlproj", *map(str, arguments)]
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError


def warm_up(folder: Path) -> None:
    """Import what commands import late; threads would not live through a fork, so take one."""
    torch.set_num_threads(1)
    assert dlproj(*WARM_UP, folder / "warm-up") == 0
    for name in ("attack", "batchnorm", "digits", "langid"):
        import_module(f"dlproj.output.figures.{name}")


def fork(folder: Path, run: Callable[[], int]) -> int:
    """Fork, and run something in a folder; what it writes goes to the files `out` and `err` there.

    Returns how it ended: the exit code, or the number of the signal, negative.
    """
    return wait(start(folder, run))


def start(folder: Path, run: Callable[[], int]) -> int:
    """The process of `fork`, without waiting for it."""
    folder.mkdir(parents=True, exist_ok=True)
    process = os.fork()
    if process:
        return process
    code = 99
    try:
        os.chdir(folder)
        for name, number in (("out", 1), ("err", 2)):
            os.dup2(os.open(name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
        code = run()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def wait(process: int) -> int:
    """How a forked process ended."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

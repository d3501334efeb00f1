"""Standard input, output and error, whatever state the command was started with."""

import io
import os
import sys
from contextlib import suppress

from dlproj.errors import DlprojError
from dlproj.visible import visible

MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


def prepare() -> None:
    """Open what is closed (`>&-`) on nothing, and show letters that the output's encoding lacks.

    Where a descriptor of the three is free, the next file that is opened would get it, and the
    command's output with it.
    """
    for name, mode in MODES.items():
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:  # libraries end the process there, in words of their own
        raise DlprojError("the current folder is gone: change to another, then try again") from None
    columns = os.environ.get("COLUMNS", "")
    if not columns.isdecimal() or not int(columns):  # rich would print nothing at all
        os.environ.pop("COLUMNS", None)


def expand_home(arguments: list[str]) -> list[str]:
    """`--out=~/x` as shells expand `--out ~/x`."""
    parted = (argument.partition("=") for argument in arguments)
    return [
        f"{flag}={os.path.expanduser(value)}"  # noqa: PTH111 - also where there is no home
        if flag.startswith("--") and value.startswith("~")
        else flag + equals + value
        for flag, equals, value in parted
    ]


def say(line: str) -> None:
    """One line on standard error, with control characters visible, where someone may read it."""
    with suppress(OSError, ValueError):
        print(visible(" ".join(line.split())), file=sys.stderr, flush=True)


def finish() -> None:
    """Leave nothing in the streams that Python would fail to write as it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

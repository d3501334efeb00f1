"""Where the command line begins and ends: signals first, then one line and an exit code."""

import gc
import os
import signal
import sys
import time
from typing import NoReturn

from dlproj.commandline import streams
from dlproj.errors import DlprojError, Interrupted, LostProcessError, UsageError
from dlproj.interrupts import SIGNALS, interrupts

# Threads of torch that wait shall sleep: spinning, they slow a busy machine a hundredfold. But not
# at once: woken thousands of times in a second, they would slow a quiet one by up to a half.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000"}

# New objects, by which Python looks for garbage in cycles: 700 by itself. An import makes many
# objects and no garbage, and looking for it again and again slows every start.
NEW_OBJECTS = 50_000

PATIENCE = 10  # seconds for the first process to start and to meet the same error


def main() -> NoReturn:
    """Run the command line; every error ends as one line and an exit code."""
    try:
        try:
            interrupts.install()
            streams.prepare()
            code = _run()
            interrupts.check()  # what came in place of an interruption may have been no error
        finally:
            interrupts.close()
    except BaseException as error:
        interrupts.close()
        code = _end(error)
    streams.finish()
    gc.freeze()  # else Python looks through all of torch for garbage as it ends, for 0.2 s
    sys.exit(code)


def _run() -> int:
    gc.set_threshold(NEW_OBJECTS)
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    if "_DLPROJ_COMPLETE" in os.environ:  # fish would take each line of an explanation for a word
        os.environ["TERMINAL_WIDTH"] = "10000"
    from dlproj.cli import app  # noqa: PLC0415 - after the signals are handled

    code = app(streams.expand_home(sys.argv[1:]), standalone_mode=False, prog_name="dlproj")
    sys.stdout.flush()
    return int(code or 0)


def _end(error: BaseException) -> int:
    """Say what has happened. Returns the exit code.

    Whatever is raised once a signal has come is the interruption.
    """
    if interrupts.pending is not None:
        error = Interrupted(interrupts.pending)
    elif isinstance(error, KeyboardInterrupt):  # before the signals were handled here
        error = Interrupted(signal.SIGINT)
    line, code = _explain(error)
    if _rank() and isinstance(error, UsageError | LostProcessError):
        _leave_to_first()
    if line and not (_rank() and isinstance(error, Interrupted)):
        where = f"process {_rank()}: " if _rank() else ""
        streams.say(f"dlproj: {where}{line}")
    return code


def _leave_to_first() -> None:
    """Wait while the first process says what all processes would say.

    torchrun ends the others with SIGTERM as soon as one has ended, whether it has spoken or not.
    """
    for signum in SIGNALS:
        signal.signal(signum, signal.SIG_DFL)
    time.sleep(PATIENCE)


def _explain(error: BaseException) -> tuple[str, int]:
    """A line for the user, or "" where no one reads it, and the exit code."""
    match error:
        case Interrupted():
            hint = interrupts.resume()
            return f"{error}; go on with: {hint}" if hint else str(error), error.exit_code
        case DlprojError():
            return str(error), error.exit_code
        case BrokenPipeError():  # whoever read our output has gone
            return "", 1
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", 1
        case MemoryError():
            return "not enough memory: try a smaller --batch-size or less data", 1
    raise error


def _rank() -> int:
    """Which of the processes this is that torchrun started; 0 without it."""
    rank = os.environ.get("RANK", "")
    return int(rank) if rank.isdecimal() else 0


if __name__ == "__main__":
    main()

"""Where the command line begins and ends: signals first, then one line and an exit code."""

import io
import os
import sys

from dlproj.errors import DlprojError, Interrupted, LostProcessError, UsageError
from dlproj.interrupts import interrupts
from dlproj.output.visible import visible

# Threads of torch that wait shall sleep: spinning, they slow a busy machine a hundredfold. But not
# at once: woken thousands of times in a second, they would slow a quiet one by a quarter.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}


def main() -> None:
    """Run the command line; every error ends as one line and an exit code."""
    interrupts.install()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what its encoding lacks is shown as an escape
            stream.reconfigure(errors="backslashreplace")
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    try:
        code = _run()
    except (UsageError, LostProcessError, Interrupted) as error:  # the same in all processes
        code = error.exit_code if _rank() else _fail(str(error), error.exit_code)
    except DlprojError as error:
        code = _fail(str(error), error.exit_code)
    except BrokenPipeError:  # whoever read our output has gone; leave nothing to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        code = _fail(f"{where}{error.strerror or error}", 1)
    except MemoryError:
        code = _fail("not enough memory: try a smaller --batch-size or less data", 1)
    sys.exit(code)


def _run() -> int:
    import typer  # noqa: PLC0415 - after the signals are handled

    from dlproj.cli import app  # noqa: PLC0415

    try:
        code = app(standalone_mode=False, prog_name="dlproj") or 0
        sys.stdout.flush()
    except typer.TyperException as error:
        code = error.exit_code
        return code if _rank() else _fail(error.format_message(), code)
    except typer.Abort:
        return _fail("aborted", 1)
    return int(code)


def _rank() -> int:
    """Which of the processes this is that torchrun started; 0 without it."""
    return int(os.environ.get("RANK", "0"))


def _fail(message: str, code: int) -> int:
    where = f"process {_rank()}: " if _rank() else ""
    print(f"dlproj: {where}" + visible(" ".join(message.split())), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()

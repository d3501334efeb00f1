"""Independent trainings, side by side: in processes of this machine, or on a Dask cluster.

Both are executors of `concurrent.futures`, and call each training in the same way, so that what
comes out does not depend on the engine. A training goes on for as long as the command that wants
it holds a file, which it lets go of when it is interrupted, and loses when it dies.
"""

import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import chdir, contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from dlproj.errors import DlprojError, Interrupted, LostProcessError
from dlproj.interrupts import interrupts
from dlproj.store.runs import held, is_held

Cell = TypeVar("Cell")
Result = TypeVar("Result")
LOOK_EVERY = 0.3  # seconds between two looks at whether a training is still wanted
LAST_WORDS = 30.0  # seconds that a training has to save itself before its process ends

_computing = threading.Lock()  # torch's threads and random numbers are a whole process's


def run_all(
    function: Callable[[Cell], Result],
    cells: Mapping[str, Cell],
    *,
    jobs: int,
    cluster: str | None,
    folder: Path,
) -> Iterator[tuple[str, Result]]:
    """Call a function of each cell, and yield names and results as they come.

    Args:
        function: what to do; where it is done elsewhere, it is pickled, and so are its results.
        cells: what to do it with, by name.
        jobs: how many at once; if one, in this process.
        cluster: the address of a Dask scheduler whose workers see the same files.
        folder: of the study.

    Raises:
        DlprojError: one could not be done, which the message names; the others have ended, too.
    """
    if not cells or (jobs == 1 and not cluster):
        for name, cell in cells.items():
            with _named(name):
                result = function(cell)
            yield name, result
        return
    alive = (folder / ".alive").resolve()
    waiting, running = iter(cells.items()), dict[Future[Result], str]()
    # What is held is let go of first; the executor then waits for what was under way.
    with _executor(jobs, cluster) as executor, held(alive):
        while True:
            for name, cell in islice(waiting, jobs - len(running)):
                running[executor.submit(_call, function, cell, Path.cwd(), alive)] = name
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                with _named(running[future], running.values()):
                    result = future.result()
                yield running.pop(future), result


@contextmanager
def _named(name: str, running: Iterable[str] = ()) -> Iterator[None]:
    """Errors, with the name of what they are about."""
    try:
        yield
    except LostProcessError:
        raise
    except DlprojError as error:
        raise DlprojError(f"{name}: {error}") from None
    except BrokenExecutor:
        raise DlprojError(
            f"{' or '.join(running)}: its process has ended (killed, or out of memory); what is "
            "finished is kept, and --resume goes on"
        ) from None
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if not running:
            raise
        raise DlprojError(f"{name}: {type(error).__name__}: {error}") from error


@contextmanager
def _executor(jobs: int, cluster: str | None) -> Iterator[Executor]:
    """What takes calls: new processes here, or the workers of a cluster."""
    if cluster is None:
        # Not forked: the threads of torch do not survive that.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, spawn, initializer=_start_process) as executor:
            yield executor
        return
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        raise DlprojError("--cluster needs Dask: pip install 'dlproj[cluster]'") from None
    try:
        client = Client(cluster, timeout=10)
    except (OSError, ValueError) as error:
        raise DlprojError(f"--cluster {cluster}: no Dask scheduler answers there") from error
    with client, client.get_executor(pure=False) as executor:
        if not client.nthreads():
            raise DlprojError(
                f"--cluster {cluster}: has no workers; start one: dask worker {cluster}"
            )
        yield executor


def _start_process() -> None:
    """Prepare a process of this machine: it saves what it does before it ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the command decides
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=_leave).start())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    atexit.register(os._exit, 0)  # torch would take seconds to take itself down


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - for the type checker
    parent.join()
    _leave()


def _leave() -> None:
    interrupts.pending = signal.SIGTERM
    _computing.acquire(timeout=LAST_WORDS)
    os._exit(128 + signal.SIGTERM)


def _call(function: Callable[[Cell], Result], cell: Cell, folder: Path, alive: Path) -> Result:
    """Call a function of a cell for as long as that is wanted, where the command was given."""
    if not alive.parent.is_dir():
        raise DlprojError(f"the worker does not see {alive.parent}: a cluster shares its files")
    try:
        with _computing, chdir(folder), _stopped_without(alive):
            return function(cell)
    except Interrupted:  # an ordinary exception, which every engine hands back as it is
        raise LostProcessError from None


@contextmanager
def _stopped_without(alive: Path) -> Iterator[None]:
    """Within this block, interrupt what is under way as soon as no one holds the file."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY):
            if not is_held(alive):
                interrupts.pending = signal.SIGTERM
                return

    if not is_held(alive):
        raise Interrupted(signal.SIGTERM)
    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()
        interrupts.pending = None  # of this training; the process may be asked for others

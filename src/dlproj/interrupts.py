"""SIGINT and SIGTERM: at once in general, between two steps during training.

The first signal is raised as `Interrupted` in whatever the main thread does. C++ code and
destructors make another exception of that, or none at all. So the command line takes everything
that is raised after a signal for the interruption, and what was dropped is raised again.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dlproj.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.02  # seconds between two attempts to raise an interruption


class Interrupts:
    """What became of the signals: raised as `Interrupted`, or kept while they are deferred."""

    def __init__(self) -> None:
        self.deferred = False
        self.closed = False
        self.pending: int | None = None
        self.resume: Callable[[], str | None] = lambda: None  # the command that goes on
        self.run: Callable[[], Path | None] = lambda: None  # what it goes on with

    def install(self) -> None:
        """Handle the first signal here; a second one ends the process at once."""
        self.deferred = self.closed = False
        self.pending, self.resume = None, lambda: None
        for signum in SIGNALS:
            signal.signal(signum, self._receive)
        if hasattr(signal, "setitimer"):  # not on Windows
            signal.signal(signal.SIGALRM, self._raise_again)

    def close(self) -> None:
        """The command has ended: a signal comes too late to change how."""
        self.closed = True
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _receive(self, signum: int, _frame: FrameType | None) -> None:
        # The next signal is the system's own, which ends the process at once.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if self.closed:
            return
        self.pending = signum
        # Tracebacks of what is dropped are not shown. In a function written in C, no signal is met.
        sys.unraisablehook = threading.excepthook = bool
        if hasattr(signal, "setitimer"):
            # An alarm again and again, until the exception has come through.
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        if not self.deferred:
            raise Interrupted(signum)

    def _raise_again(self, _signum: int, _frame: FrameType | None) -> None:
        """Raise what was dropped; while an exception is handled, that one may be on its way."""
        if not self.deferred and not self.closed and sys.exception() is None:
            self.check()

    @contextmanager
    def defer(self) -> Iterator[None]:
        """Within this block a signal waits until `check` is called, or the block ends.

        Signals meet the main thread alone: in others, and within another such block, it changes
        nothing.
        """
        if self.deferred or threading.current_thread() is not threading.main_thread():
            yield
            return
        self.deferred = True
        try:
            yield
        finally:
            self.deferred = False
        self.check()

    def check(self) -> None:
        """Raise `Interrupted` if a signal waits."""
        if self.pending is not None:
            raise Interrupted(self.pending)


interrupts = Interrupts()

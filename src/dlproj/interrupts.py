"""SIGINT and SIGTERM: at once in general, between two steps during training."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dlproj.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.001  # seconds until an interruption that Python dropped is raised again


class Interrupts:
    """What became of the signals: raised as `Interrupted`, or kept while they are deferred."""

    def __init__(self) -> None:
        self.deferred = False
        self.pending: int | None = None
        self.dropped = False

    def install(self) -> None:
        """Handle the first signal here; a second one ends the process at once.

        Python drops what is raised in a destructor or a weak reference's callback, and prints its
        traceback. An interruption that meets one of those is raised once more a moment later.
        """
        for signum in SIGNALS:
            signal.signal(signum, self._receive)
        if hasattr(signal, "setitimer"):  # not on Windows
            signal.signal(signal.SIGALRM, self._raise_dropped)
            sys.unraisablehook = self._notice_dropped

    def _receive(self, signum: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self.pending = signum
        if not self.deferred:
            raise Interrupted(signum)

    def _notice_dropped(self, what: "sys.UnraisableHookArgs") -> None:
        if isinstance(what.exc_value, Interrupted):
            self.dropped = True
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            sys.__unraisablehook__(what)

    def _raise_dropped(self, _signum: int, _frame: FrameType | None) -> None:
        if self.dropped and not self.deferred:
            self.check()

    @contextmanager
    def defer(self) -> Iterator[None]:
        """Within this block a signal waits until `check` is called, or the block ends."""
        self.deferred = True
        try:
            yield
        finally:
            self.deferred = False
        self.check()

    def check(self) -> None:
        """Raise `Interrupted` if a signal waits."""
        if self.pending is not None:
            self.dropped = False
            raise Interrupted(self.pending)


interrupts = Interrupts()

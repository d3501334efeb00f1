"""SIGINT and SIGTERM: at once in general, between two steps during training."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dlproj.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """What became of the signals: raised as `Interrupted`, or kept while they are deferred."""

    def __init__(self) -> None:
        self.deferred = False
        self.pending: int | None = None

    def install(self) -> None:
        """Handle the first signal here; a second one ends the process at once."""
        for signum in SIGNALS:
            signal.signal(signum, self._receive)

    def _receive(self, signum: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self.pending = signum
        if not self.deferred:
            raise Interrupted(signum)

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
            raise Interrupted(self.pending)


interrupts = Interrupts()

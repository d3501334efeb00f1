"""Errors that reach the user as one line, and the exit codes they end with."""

import signal

from dlproj.visible import visible


class DlprojError(Exception):
    """It could not be done; the message says why and what to do."""

    exit_code = 1

    def __str__(self) -> str:
        """The message on one line, also where it quotes a value that has several."""
        return visible(super().__str__())


class UsageError(DlprojError):
    """The command line itself is wrong, on whatever machine it is typed."""

    exit_code = 2


class DataWarning(UserWarning):
    """Something is unusual about the user's data; from Python, where no remark is printed."""


class CallError(UsageError, TypeError):
    """A function was called with a keyword that it does not have, or without one that it needs."""


class DivergedError(DlprojError):
    """The loss stopped being a finite number."""

    def __init__(self, step: int, lr: float) -> None:
        super().__init__(step, lr)  # as they are, so that it can travel between processes
        self.step = step
        self.lr = lr

    def __str__(self) -> str:
        return (
            f"the loss is no longer finite at step {self.step} (learning rate {self.lr:.3g}): "
            "try a lower --lr"
        )


class LostProcessError(DlprojError):
    """Another process of this training has ended."""

    def __str__(self) -> str:
        return "another process of this training has ended; go on from its checkpoint with --resume"


class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived. Not an Exception, so that nothing swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.name = signal.Signals(signum).name
        self.exit_code = 128 + signum

    def __str__(self) -> str:
        return f"interrupted by {self.name}"

"""dlproj in someone's Python: torch as it is needed meanwhile, and afterwards all as it was."""

import ast
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import torch

from dlproj.errors import Interrupted, UsageError
from dlproj.interrupts import interrupts

_turn = threading.RLock()  # torch's random numbers, threads and defaults are a whole process's


@contextmanager
def own_torch() -> Iterator[None]:
    """Torch with gradients, in single precision, on the CPU unless told otherwise.

    Random numbers, the number of threads, and the defaults are afterwards as they were. Of several
    threads one at a time is let in, so that what they compute is as if they had come in turn.
    """
    with _turn, ExitStack() as stack:
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float32)
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.random.fork_rng(range(torch.cuda.device_count())))
        yield


@contextmanager
def saved_on_interrupt(function: str) -> Iterator[None]:
    """Ctrl-C ends a training after a step, with its checkpoint written; a second one, at once.

    Raises:
        KeyboardInterrupt: with how to go on.
    """
    usual = signal.default_int_handler
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return

    def receive(signum: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, usual)
        interrupts.pending = signum
        if not interrupts.deferred:
            raise Interrupted(signum)

    interrupts.run = lambda: None
    signal.signal(signal.SIGINT, receive)
    try:
        yield
    except BaseException:  # C++ code makes other exceptions of an interruption
        if interrupts.pending is None:
            raise
        run = interrupts.run()
        hint = f"go on with: {function}(resume={str(run)!r})" if run else "nothing was saved yet"
        raise KeyboardInterrupt(hint) from None
    finally:
        signal.signal(signal.SIGINT, usual)
        interrupts.pending = None


def check_main_guard(jobs: int) -> None:
    """Whether processes can be started, each of which imports the running script again.

    Raises:
        UsageError: the script would start them anew, because it has no main guard.
    """
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    frame: FrameType | None = sys._getframe()
    while frame and not (frame.f_globals is vars(main) and frame.f_code.co_name == "<module>"):
        frame = frame.f_back
    if frame is None or path is None:
        return
    try:
        statements = ast.parse(Path(path).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return
    before = [each for each in statements if each.lineno <= frame.f_lineno]
    names = {node.id for each in before for node in ast.walk(each) if isinstance(node, ast.Name)}
    if "__name__" not in names:
        raise UsageError(
            f"jobs={jobs} starts processes that import {Path(path).name} again: put the call "
            'under `if __name__ == "__main__":`, or leave out jobs'
        )

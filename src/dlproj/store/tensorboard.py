"""Event files for TensorBoard: the numbers of `metrics.jsonl` once more, for its charts."""

import weakref
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlproj.errors import DlprojError

EVENTS = "events.out.tfevents."  # how the names begin that TensorBoard looks for


def check_installed() -> None:
    """Whether event files can be written.

    Raises:
        DlprojError: they cannot.
    """
    if find_spec("tensorboard") is None:
        raise DlprojError(
            "--tensorboard needs another package: pip install -c constraints.txt '.[tensorboard]'"
        )


class Events:
    """The event files of one run, which stand in its directory."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional, takes seconds

        for old in folder.glob(f"{EVENTS}*"):  # of before the run was resumed
            old.unlink()
        self._writer = SummaryWriter(str(folder))
        weakref.finalize(self, self._writer.close)

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """Write each number of the records, at its step, to disk."""
        for record in records:
            for name in record.keys() - {"step", "epoch"}:
                self._writer.add_scalar(name, record[name], record["step"])
        self._writer.flush()

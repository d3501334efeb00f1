"""Run directories. This module alone writes results, so that each file is there whole or not."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dlproj.errors import DlprojError

CHECKPOINT = "checkpoint/training.safetensors"
PREVIOUS_CHECKPOINT = "checkpoint/previous.safetensors"


class RunDir:
    """One run's directory: `config.json` first, `result.json` last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: list[str] = []

    @property
    def started(self) -> bool:
        """Whether the settings are written."""
        return (self.path / "config.json").exists()

    @property
    def result(self) -> dict[str, Any] | None:
        """The result of a finished run."""
        return self.read_json("result.json")

    def read_json(self, name: str) -> dict[str, Any] | None:
        """A JSON object of the run, or None when it is not there.

        Raises:
            DlprojError: it is damaged.
        """
        try:
            value = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise DlprojError(f"{self.path / name}: damaged, not a JSON object")
        return value

    def write_json(self, name: str, value: Any) -> None:
        """Write a file of JSON."""
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        self.write(name, text.encode() + b"\n")

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the run, whole or not at all."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        write_file(path, data)

    def write_checkpoint(self, data: bytes) -> None:
        """Write a checkpoint, and keep the one before it."""
        current = self.path / CHECKPOINT
        if current.exists():
            current.replace(self.path / PREVIOUS_CHECKPOINT)
        self.write(CHECKPOINT, data)

    def checkpoints(self) -> Iterator[tuple[Path, bytes]]:
        """The checkpoints that are there, newest first."""
        for name in (CHECKPOINT, PREVIOUS_CHECKPOINT):
            path = self.path / name
            if path.exists():
                yield path, path.read_bytes()

    def record(self, **values: Any) -> None:
        """Add a line to `metrics.jsonl`; it is on disk after `flush_records`."""
        self._records.append(json.dumps(values, allow_nan=False))

    def flush_records(self) -> None:
        """Append what `record` collected to `metrics.jsonl`."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self._records)
            file.flush()
            os.fsync(file.fileno())
        self._records.clear()

    def keep_records(self, step: int) -> None:
        """Forget the records after a step: a resumed run will make them again."""
        kept = [record for record in self.records() if record["step"] <= step]
        lines = "".join(json.dumps(record) + "\n" for record in kept)
        self.write("metrics.jsonl", lines.encode())

    def records(self) -> Iterator[dict[str, Any]]:
        """The lines of `metrics.jsonl`, up to one that a crash cut short."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                return

    def child(self, name: str) -> "RunDir":
        """A run within this one, made when missing."""
        path = self.path / name
        path.mkdir(exist_ok=True)
        return RunDir(path)


@contextmanager
def new_run(command: str, out: Path | None) -> Iterator[RunDir]:
    """Make a run directory; when nothing was started in it, it is taken away again.

    Raises:
        DlprojError: `out` exists already, or no directory can be made there.
    """
    made: list[Path] = []
    try:
        path = _make(out, made) if out else _make_numbered(Path("runs") / command, made)
    except OSError as error:
        _remove_empty(made)
        raise DlprojError(f"--out {out or 'runs'}: cannot be made ({error.strerror})") from None
    run = RunDir(path)
    try:
        with _locked(path):
            yield run
    finally:
        if not run.started:
            _remove_empty(made)


@contextmanager
def existing_run(path: Path) -> Iterator[RunDir]:
    """Open a run directory to go on with it; no other process can at the same time."""
    with _locked(path):
        yield RunDir(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the run's lock, which the system lets go of when the process dies."""
    lock = FileLock(path / ".lock")
    try:
        with lock.acquire(timeout=0):
            yield
    except Timeout:
        raise DlprojError(f"{path}: in use by another process") from None
    finally:
        if not (path / "config.json").exists():
            (path / ".lock").unlink(missing_ok=True)


def _make(path: Path, made: list[Path]) -> Path:
    """Make one directory with its parents, noting each that was missing."""
    missing = [folder for folder in [*reversed(path.parents), path] if not folder.exists()]
    if path not in missing:
        raise DlprojError(
            f"--out {path}: exists already; name a new folder, or go on with --resume {path}"
        )
    for folder in missing:
        folder.mkdir(exist_ok=folder != path)
        made.append(folder)
    return path


def _make_numbered(parent: Path, made: list[Path]) -> Path:
    """Make the first free of `parent/1`, `parent/2`, …: mkdir decides between processes."""
    taken = [int(p.name) for p in parent.glob("*") if p.name.isdecimal()]
    for number in count(max(taken, default=0) + 1):
        try:
            return _make(parent / str(number), made)
        except (DlprojError, FileExistsError):
            continue
    raise AssertionError


def _remove_empty(made: list[Path]) -> None:
    for folder in reversed(made):
        try:
            folder.rmdir()
        except OSError:
            return


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it has its old content or the new, never a part."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

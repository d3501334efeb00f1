"""Run directories. This module alone writes results, so that each file is there whole or not."""

import hashlib
import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from dlproj.errors import DlprojError
from dlproj.interrupts import interrupts
from dlproj.limits import file_in, read_limited
from dlproj.store.tensorboard import EVENTS, Events, check_installed

RECORDS = "metrics.jsonl"
CHECKPOINT = "checkpoint/training.safetensors"
PREVIOUS_CHECKPOINT = "checkpoint/previous.safetensors"
MAX_BYTES = 200_000_000  # of a file of JSON
MAX_AT_ONCE = 1000  # runs that may be begun beside each other while a number is looked for


def seal(value: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with a checksum of itself, so that damage is noticed."""
    # Sorted: the checksum is of the values, however a tool orders the keys.
    text = json.dumps(value, sort_keys=True, allow_nan=False)
    return {**value, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def is_sealed(value: Any) -> bool:
    """Whether it is a JSON object as `seal` made it."""
    if not isinstance(value, dict):
        return False
    try:
        return seal({key: item for key, item in value.items() if key != "sha256"}) == value
    except ValueError:
        return False


class RunDir:
    """One run's directory: `config.json` first, `result.json` last.

    With `tensorboard`, the records are also written as event files.
    """

    def __init__(self, path: Path, *, tensorboard: bool = False) -> None:
        self.path = path
        self._records: list[str] = []
        self._tensorboard = tensorboard
        self._events: Events | None = None

    @property
    def started(self) -> bool:
        """Whether the settings are written."""
        return (self.path / "config.json").exists()

    @property
    def result(self) -> dict[str, Any] | None:
        """The result of a finished run."""
        return self.read_json("result.json")

    def read_json(self, name: str) -> dict[str, Any] | None:
        """A JSON object that `write_json` wrote, or None when it is not there.

        Raises:
            DlprojError: it is damaged.
        """
        try:
            value = json.loads(read_limited(file_in(self.path, name), MAX_BYTES))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            value = None
        if not is_sealed(value):
            raise DlprojError(f"{self.path / name}: damaged, or changed by hand")
        return cast("dict[str, Any]", value)

    def write_json(self, name: str, value: dict[str, Any]) -> dict[str, Any]:
        """Write a file of JSON, sealed. Returns what was written."""
        sealed = seal(value)
        text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False)
        self.write(name, text.encode(errors="backslashreplace") + b"\n")  # as JSON has it
        return sealed

    def digests(self) -> dict[str, str]:
        """SHA-256 of each finished file that stands directly in the run, but for the result."""
        left_out = (".", "result.json", EVENTS)
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.path.iterdir())
            if path.is_file() and not path.name.startswith(left_out)
        }

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the run, whole or not at all."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        write_file(path, data)

    def write_checkpoint(self, data: bytes) -> None:
        """Write a checkpoint, and keep the one before it."""
        current = self.path / CHECKPOINT
        if current.exists():
            # A crash before the next line leaves the previous one, which a resumed run then takes.
            current.replace(self.path / PREVIOUS_CHECKPOINT)
        self.write(CHECKPOINT, data)

    def checkpoints(self) -> Iterator[tuple[Path, bytes]]:
        """The checkpoints that are there, newest first."""
        for name in (CHECKPOINT, PREVIOUS_CHECKPOINT):
            path = self.path / name
            if path.exists():
                yield path, path.read_bytes()

    def keep_checkpoint(self, path: Path) -> None:
        """Take this checkpoint for the newest, so that no damaged one is kept in its place."""
        path.replace(self.path / CHECKPOINT)

    def record(self, **values: Any) -> None:
        """Add a line to `metrics.jsonl`; it is on disk after `flush_records`."""
        self._records.append(json.dumps(values, allow_nan=False))

    def flush_records(self) -> None:
        """Append what `record` collected to `metrics.jsonl`."""
        with (self.path / RECORDS).open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self._records)
            file.flush()
            os.fsync(file.fileno())
        if self._tensorboard:
            self._events = self._events or Events(self.path)
            self._events.add(map(json.loads, self._records))
        self._records.clear()

    def records_digest(self) -> str:
        """SHA-256 of the records that are on disk."""
        return hashlib.sha256(b"".join(self._lines())).hexdigest()

    def keep_records(self, count: int, digest: str | None = None) -> None:
        """Forget the records after the first `count`: a resumed run will make them again.

        Raises:
            DlprojError: those that stay are not those that `digest` was taken of.
        """
        # Records may be ahead of the checkpoint, which is written after them.
        kept = b"".join(self._lines()[:count])
        if digest is not None and hashlib.sha256(kept).hexdigest() != digest:
            raise DlprojError(f"{self.path / RECORDS}: damaged; start a new run")
        self.write(RECORDS, kept)
        if self._tensorboard:
            self._events = Events(self.path)
            self._events.add(self.records())

    def records(self) -> Iterator[dict[str, Any]]:
        """The lines of `metrics.jsonl`, up to one that a crash cut short."""
        for line in self._lines():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                return

    def _lines(self) -> list[bytes]:
        path = file_in(self.path, RECORDS)
        return path.read_bytes().splitlines(keepends=True) if path.exists() else []

    def child(self, name: str) -> "RunDir":
        """A run within this one, made when missing."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        return RunDir(path, tensorboard=self._tensorboard)


class ReadOnlyRun(RunDir):
    """A run that another process writes."""

    def write(self, name: str, data: bytes) -> None:
        """Write nothing."""

    def write_checkpoint(self, data: bytes) -> None:
        """Write nothing."""

    def keep_checkpoint(self, path: Path) -> None:
        """Write nothing."""

    def flush_records(self) -> None:
        """Write nothing."""
        self._records.clear()

    def digests(self) -> dict[str, str]:
        """None: only whoever writes the files knows when they are done."""
        return {}

    def child(self, name: str) -> RunDir:
        """A run within this one."""
        return ReadOnlyRun(self.path / name)


@contextmanager
def new_run(command: str, out: Path | None, *, tensorboard: bool = False) -> Iterator[RunDir]:
    """Make a run directory; when nothing was started in it, it is taken away again.

    Raises:
        DlprojError: `out` exists already, or no directory can be made there.
    """
    if tensorboard:
        check_installed()
    made: list[Path] = []
    try:
        with interrupts.defer():  # so that nothing is made that `made` does not know
            path = _make(out, made) if out else _make_numbered(Path("runs") / command, made)
        with _locked(path):
            yield RunDir(path, tensorboard=tensorboard)
    finally:
        if made and not (made[-1] / "config.json").exists():
            _remove_empty(made)


@contextmanager
def existing_run(path: Path, *, patience: float = 0, tensorboard: bool = False) -> Iterator[RunDir]:
    """Open a run directory to go on with it; no other process can at the same time.

    Raises:
        DlprojError: another process has it, and still does after so many seconds.
    """
    if tensorboard:
        check_installed()
    refuse_links(path)
    with _locked(path, patience):
        yield RunDir(path, tensorboard=tensorboard)


def refuse_links(path: Path) -> None:
    """Look for what would lead out of a run.

    Raises:
        DlprojError: something in it is neither a file nor a folder of its own.
    """
    for entry in path.rglob("*"):
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            raise DlprojError(f"{entry}: a link or device, which no run holds: take it away")


@contextmanager
def _locked(path: Path, patience: float = 0) -> Iterator[None]:
    """Hold the run's lock, which the system lets go of when the process dies."""
    lock = FileLock(path / ".lock")
    try:
        with lock.acquire(timeout=patience):
            yield
    except Timeout:
        raise DlprojError(f"{path}: in use by another process") from None
    finally:
        if not (path / "config.json").exists():
            (path / ".lock").unlink(missing_ok=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file for as long as this block lasts, or less where the process dies."""
    with FileLock(path):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_held(path: Path) -> bool:
    """Whether some process holds a file."""
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            path.unlink(missing_ok=True)
    except Timeout:
        return True
    return False


def _make(path: Path, made: list[Path]) -> Path:
    """Make the directory that the user asks for, noting each folder that was missing."""
    if os.path.lexists(path):
        begun = (path / "config.json").exists()
        advice = f", or go on with --resume {shlex.quote(str(path))}" if begun else ""
        raise DlprojError(f"--out {path}: exists already; name a new folder{advice}")
    try:
        _make_parents(path, made)
        path.mkdir()
    except OSError as error:
        raise DlprojError(f"--out {path}: cannot be made ({_reason(error)})") from None
    made.append(path)
    return path


def _make_numbered(parent: Path, made: list[Path]) -> Path:
    """Make the first free of `parent/1`, `parent/2`, …: mkdir decides between processes."""
    try:
        _make_parents(parent / "1", made)
        taken = [int(p.name) for p in parent.glob("*") if re.fullmatch("[0-9]{1,9}", p.name)]
        first = max(taken, default=0) + 1
        for number in range(first, first + MAX_AT_ONCE):
            path = parent / str(number)
            with suppress(FileExistsError):  # of a process that was quicker
                path.mkdir()
                made.append(path)
                return path
    except OSError as error:
        problem = f"{parent}: cannot be made ({_reason(error)})"
    else:
        problem = f"{parent}: no number is free"
    raise DlprojError(f"{problem}; name another place with --out")


def _make_parents(path: Path, made: list[Path]) -> None:
    """Make the folders above one, noting each that was missing."""
    for folder in reversed(path.parents):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            made.append(folder)


def _reason(error: OSError) -> str:
    """Why a folder cannot be made."""
    if not isinstance(error, FileExistsError):
        return str(error.strerror)
    kind = "a link that leads nowhere" if Path(error.filename).is_symlink() else "there already"
    return f"{error.filename} is {kind}"


def _remove_empty(made: list[Path]) -> None:
    for folder in reversed(made):
        try:
            folder.rmdir()
        except OSError:
            return


def launch_file(name: str) -> Path:
    """Where a call of torchrun keeps which run is its own."""
    folder = user_cache_path("dlproj") / "launches"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / hashlib.sha256(name.encode()).hexdigest()


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it has its old content or the new, never a part."""
    with interrupts.defer():  # a signal finds it written, too
        try:
            _write_aside(path, data)
        except OSError as error:
            error.filename = error.filename or str(path)
            raise
        _sync_folder(path.parent)


def _write_aside(path: Path, data: bytes) -> None:
    """Write to a temporary file, which then takes the place of the old one."""
    # In the same folder: a rename is one step only within a file system.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            # Its content first: else a power cut may leave the new name on an empty file.
            os.fsync(file.fileno())
        mask = os.umask(0o077)  # there is no other way to read it
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows does so by itself, and opens no folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""What the tests share: a small data set, and dlproj's command line in this process."""

import gzip
import json
import os
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

from dlproj.data.digits import load_digits
from dlproj.training import device

settings.register_profile(  # however busy the machine is
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
ROOT = Path(__file__).parents[1]
COURSE = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run whole commands, so that `-m "not command"` is done in moments."""
    for item in items:
        if "dlproj" in getattr(item, "fixturenames", ()):
            item.add_marker("command")


@pytest.fixture
def course() -> Path:
    """The folder of the course's own files."""
    if not COURSE.is_dir():
        pytest.skip(f"the course's files are not in {COURSE}")
    return COURSE


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test in a folder of its own, with its signal handlers, hooks and threads put back.

    Studies stay in this process, because starting others takes seconds, unless --jobs is given;
    where tests run in several processes, each of them has one core.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(device.Machine, "room", 1)
    if "PYTEST_XDIST_WORKER" in os.environ:
        monkeypatch.setattr(device, "_cores", lambda: 1)
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for signum, handler in handlers.items():
        signal.signal(signum, handler)


def idx(array: torch.Tensor) -> bytes:
    """A tensor of bytes in the IDX format."""
    header = struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.to(torch.uint8).numpy().tobytes()


def write_digits(folder: Path, *, train: int, test: int) -> None:
    """The first images of MNIST, as a user's folder."""
    folder.mkdir(exist_ok=True)
    digits = load_digits()
    for name, images, count in (("train", digits.train, train), ("t10k", digits.test, test)):
        pictures = gzip.compress(idx(images.pictures[:count]))
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(pictures)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(images.labels[:count]))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """640 training and 300 test images."""
    folder = tmp_path_factory.mktemp("tiny")
    write_digits(folder, train=640, test=300)
    return folder


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


Dlproj = Callable[..., Done]


@pytest.fixture
def dlproj(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dlproj:
    """Run a command in this process."""
    from dlproj.__main__ import main

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["dlproj", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    return run


def environment() -> dict[str, str]:
    """For a command in a process of its own, which finds this checkout and its tests."""
    return {**os.environ, "COLUMNS": "80", "PYTHONPATH": f"{ROOT}/src:{ROOT}"}

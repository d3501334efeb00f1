"""Whether everything that dlproj needs is here and sound."""

import dataclasses
import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from platformdirs import user_cache_path

from dlproj.data import digits, words
from dlproj.data.vision import torchvision_datasets
from dlproj.errors import DlprojError
from dlproj.models.files import DIGITS, LANGID, PICTURES, load_model
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.tables.base import Table
from dlproj.training.device import choose_machine
from dlproj.version import __version__

PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "matplotlib",
    "safetensors",
    "typer",
    "rich",
    "pydantic",
)
OPTIONAL = ("onnx", "onnxscript", "onnxruntime")


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def examine(*, console: Console) -> bool:
    """Check the installation and show what was found. Returns whether all is well."""
    checks = list(_checks())
    found = document(
        "doctor",
        ok=all(check.ok for check in checks),
        checks=[dataclasses.asdict(check) for check in checks],
    )
    rows = [[check.name, "ok" if check.ok else "WRONG", check.detail] for check in checks]
    console.result(found, [Table("Installation", ("", "", ""), rows, numbers=False)])
    return bool(found["ok"])


def _checks() -> Iterator[Check]:
    yield Check("dlproj", True, f"{__version__}, Python {platform.python_version()}")
    for name in PACKAGES:
        yield _check(name, partial(importlib.metadata.version, name))
    for name in OPTIONAL:
        yield Check(name, True, _version_or_absent(name))
    yield _check("torchvision loads", _torchvision)
    yield _check("shipped images", _images)
    yield _check("shipped words", _words)
    for path in (DIGITS, PICTURES, LANGID):
        yield _check(f"shipped {path.stem} network", partial(_network, path))
    yield Check("devices", True, _devices())
    machine = choose_machine()
    yield Check("precision", True, f"auto takes {machine.precision} on {machine.device}")
    yield Check("threads", True, str(machine.threads))
    for name, folder in (
        ("this folder", Path.cwd()),
        ("cache folder", user_cache_path("dlproj")),
        ("temporary folder", Path(tempfile.gettempdir())),
    ):
        yield _check(name, partial(_writable, folder))


def _check(name: str, look: Callable[[], str]) -> Check:
    """A check that fails with the reason why `look` did."""
    try:
        return Check(name, True, look())
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, "not installed: install dlproj again")
    except (DlprojError, OSError, RuntimeError, ImportError, ValueError) as error:
        return Check(name, False, str(error))


def _version_or_absent(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent (optional)"


def _torchvision() -> str:
    torchvision_datasets()
    compiled = torch._C._dispatch_has_kernel_for_dispatch_key("torchvision::nms", "CPU")
    return "with its operators" if compiled else "without its operators, which are not needed"


def _images() -> str:
    loaded = digits.load_digits()
    return f"{len(loaded.train) + len(loaded.test):,} images, checksums match"


def _words() -> str:
    data = words.load_words()
    count = sum(len(split) for split in (data.train, data.validation, data.test))
    return f"{count:,} words, checksums match"


def _network(path: Path) -> str:
    _, about = load_model(path)
    return f"{about['origin']['test_accuracy']:.2%} by {about['origin']['command']}"


def _devices() -> str:
    names = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    names += ["mps"] if torch.backends.mps.is_available() else []
    return ", ".join([*names, f"cpu with {os.cpu_count()} cores"])


def _writable(folder: Path) -> str:
    """Try to write there; a folder that is not there yet is tried where it would be made."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    with tempfile.NamedTemporaryFile(dir=existing):
        return str(folder)

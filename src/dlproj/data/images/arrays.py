"""Images in NumPy's files: Keras's mnist.npz, MedMNIST's and KMNIST's, or single .npy arrays."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlproj.data.images.found import Found, Part, split_by_content
from dlproj.data.notes import listed
from dlproj.errors import DlprojError

MAX_BYTES = 2_500_000_000  # of all arrays of a file
SPLITS = {
    "train": r"train(ing)?",
    "test": r"test(ing)?|t10k|eval(uation)?",
    "validation": r"val(id)?(ation)?|dev",
}
KINDS = {
    "labels": r"lab|lbl|targ|class|^ys?$",
    "images": r"im(a?ge?)s?|data|pix|feat|pic|digit|^xs?$",
}


def read_arrays(path: Path) -> Found | None:
    """The arrays of an .npz, or of the .npz and .npy files of a folder; None where there are none.

    Raises:
        DlprojError: they cannot be read, or their names do not say what they are.
        OSError: they cannot be read at all.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.np[yz]"))
    files = [file for file in files if file.suffix.lower() in {".npz", ".npy"}]
    files = [file for file in files if not file.name.startswith(".")]
    if not files:
        return None
    arrays: dict[str, NDArray[Any]] = {}
    for file in files:
        arrays |= _load(file)
    roles: dict[tuple[str, str], NDArray[Any]] = {}
    for name, array in arrays.items():
        role = _role(name)
        if role is not None and role in roles:
            raise DlprojError(
                f"{path}: several arrays for {' '.join(role)}: {listed(list(arrays))}"
            )
        if role is not None:
            roles[role] = array
    parts = {
        split: Part(roles[split, "images"], roles[split, "labels"])
        for split in ("train", "test", "validation", "all")
        if (split, "images") in roles and (split, "labels") in roles
    }
    return _found(path, parts, list(arrays))


def _found(path: Path, parts: dict[str, Part], names: list[str]) -> Found:
    whole = parts.get("train") or parts.get("all")
    if whole is None or any(
        part.labels.ndim == 0 or part.images.ndim < 2 for part in parts.values()
    ):
        raise DlprojError(
            f"{path}: holds {listed(names)}; expected are x_train, y_train, x_test, y_test"
        )
    written, remarks = f"arrays {listed(names)}", []
    test = parts.get("test")
    if test is None and "validation" in parts:
        test = parts["validation"]
        remarks.append("no test images: those for validation are tested on")
    elif "validation" in parts:
        remarks.append("images for validation are passed over; --validation N holds some out")
    train = whole
    if test is None:
        if len(whole.images) != len(whole.labels):
            raise DlprojError(
                f"{path}: {len(whole.images)} images, but {len(whole.labels)} labels beside it"
            )
        train, test = split_by_content(whole)
        remarks.append("no test images: a tenth, by a hash of each image, is held out for test")
    return Found(train, test, str(path), written, remarks=tuple(remarks))


def _load(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, by name; a single one has the name of its file."""
    try:
        if file.suffix.lower() == ".npy":
            return {file.stem: np.load(file, allow_pickle=False, mmap_mode="r")}
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise DlprojError(f"{file}: unpacks to more than {MAX_BYTES:,} bytes")
        with np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive.items())
    except (OSError, DlprojError):
        raise
    except Exception as error:  # numpy and zipfile raise whatever they stumble over
        raise DlprojError(f"{file}: {error or type(error).__name__}") from None
    return {file.stem: arrays["arr_0"]} if list(arrays) == ["arr_0"] else arrays


def _role(name: str) -> tuple[str, str] | None:
    """The split and kind that the name of an array means."""
    rest, split = name.lower(), "all"
    for candidate, pattern in SPLITS.items():
        if re.search(pattern, rest):
            rest, split = re.sub(pattern, "", rest, count=1), candidate
            break
    rest = re.sub(r"[^a-z]", "", rest.replace("mnist", ""))
    for kind, pattern in KINDS.items():
        if re.search(pattern, rest):
            return split, kind
    return None

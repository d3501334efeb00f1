"""Labels of any kind as classes from 0 on, each with its name."""

import string
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlproj.data.notes import counted, few, listed
from dlproj.errors import DlprojError

TEN = 10  # digits are always ten classes, so that networks of them fit each other
MOST = 1000
LETTERS = dict(enumerate(string.ascii_lowercase, 1))  # as EMNIST counts them

Labels = NDArray[Any]


def to_classes(
    train: Labels, test: Labels, names: Mapping[int, str] | None, where: str
) -> tuple[Tensor, Tensor, list[str], list[str]]:
    """Classes (n,) of training and test images, the names of the classes, and remarks.

    Args:
        train: labels: integers, text, or one-hot rows.
        test: the same.
        names: of integer labels, where the files give them.
        where: what to name in messages.

    Raises:
        DlprojError: they are no labels.
    """
    parts = [_flat(labels, where) for labels in (train, test)]
    remarks: list[str] = []
    if all(part.dtype.kind in "iu" for part in parts):
        present = sorted(set(np.unique(parts[0])) | set(np.unique(parts[1])))
        names, remark = _names_of(present, names, where)
        remarks += [remark] if remark else []
        order: list[Any] = list(names)
        shown = list(names.values())
    else:
        order = sorted(set(parts[0].astype(str)) | set(parts[1].astype(str)))
        parts, shown = [part.astype(str) for part in parts], order
    if not 1 < len(shown) <= MOST:
        raise DlprojError(f"{where}: {counted(len(shown), 'class', 'classes')}; 2 to {MOST} can be")
    index = {label: place for place, label in enumerate(order)}
    trained, tested = (
        torch.tensor([index[label] for label in part.tolist()], dtype=torch.long) for part in parts
    )
    return trained, tested, shown, remarks + _missing(trained, tested, shown)


def _flat(labels: Labels, where: str) -> Labels:
    """Labels (n,): integers or text."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "buif":
        if not ((labels == 0) | (labels == 1)).all() or (labels.sum(1) != 1).any():
            raise DlprojError(f"{where}: labels {labels.shape} must be (n,), or one-hot rows")
        labels = labels.argmax(1)
    if labels.dtype.kind in "SO":
        labels = labels.astype(str)
    if labels.dtype.kind == "f" and (labels == np.round(labels)).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "U" and all(label.isdecimal() for label in np.unique(labels).tolist()):
        labels = labels.astype(np.int64)
    if labels.ndim != 1 or labels.dtype.kind not in "iuU":
        raise DlprojError(f"{where}: labels {labels.shape} of {labels.dtype} must be integers (n,)")
    if labels.dtype.kind in "iu" and labels.size and labels.min() < 0:
        raise DlprojError(f"{where}: the label {labels.min()} is below 0")
    return labels.astype(np.int64) if labels.dtype.kind in "iu" else labels


def _names_of(
    present: list[int], names: Mapping[int, str] | None, where: str
) -> tuple[Mapping[int, str], str]:
    """The name of each integer label that is a class, and a remark."""
    if names is not None:
        unknown = [label for label in present if label not in names]
        if unknown:
            raise DlprojError(f"{where}: the label {unknown[0]} has no name")
        return names, ""
    if present[-1] < TEN:
        return {label: str(label) for label in range(TEN)}, ""
    if present == list(LETTERS):
        return LETTERS, "labels from 1 to 26 are taken for the letters a to z"
    names = {int(label): str(label) for label in present}
    gaps = [str(label) for label in range(present[0], present[-1]) if label not in names]
    if gaps:
        return names, f"labels from {present[0]} to {present[-1]} leave out {listed(gaps)}"
    return names, ""


def _missing(train: Tensor, test: Tensor, names: list[str]) -> list[str]:
    """Remarks on classes without images, and on sizes that are odd."""
    trained, tested = (
        torch.bincount(part, minlength=len(names)).tolist() for part in (train, test)
    )
    rows = list(zip(names, trained, tested, strict=True))
    nowhere = [name for name, one, other in rows if not one and not other]
    untrained = [name for name, one, other in rows if other and not one]
    untested = [name for name, one, other in rows if one and not other]
    remarks = []
    if nowhere:
        remarks.append(f"no images of {listed(nowhere)}")
    if untrained:
        remarks.append(f"no training images of {listed(untrained)}, which the test images have")
    if untested:
        remarks.append(f"no test images of {listed(untested)}")
    remarks += few(len(test), "test image", "an accuracy")
    if len(test) > len(train):
        remarks.append(
            f"more test images ({len(test):,}) than training images ({len(train):,}): are the "
            "files exchanged?"
        )
    return remarks

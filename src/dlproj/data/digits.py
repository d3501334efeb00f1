"""Images of digits: MNIST, which ships; its relatives; or the user's own in the same layout."""

from dataclasses import replace
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor

from dlproj.data.image_data import SIDE, Digits, Images, to_pixels
from dlproj.data.images.mnist import read_mnist
from dlproj.data.images.own import read_images
from dlproj.errors import DlprojError, UsageError
from dlproj.limits import path_of

__all__ = ["SIDE", "Digits", "Images", "load_digits", "load_test_digits", "to_pixels"]

DATASETS = ("mnist", "fashion-mnist", "kmnist", "qmnist", "emnist")


def load_digits(
    dataset: str = "mnist",
    folder: Path | str | None = None,
    *,
    validation: int = 0,
    transpose: str = "auto",
) -> Digits:
    """Load a data set by name, or the user's own.

    Args:
        dataset: "mnist" (ships), "fashion-mnist", "kmnist", "qmnist" or "emnist" (its digits).
        folder: IDX files named as MNIST's, with any prefix, raw or .gz; an .npz as Keras has it; a
            .csv of label and pixels; or a folder of pictures for each class. `dataset` is then
            ignored.
        validation: how many training images to hold out: the same ones every time.
        transpose: whether the images of `folder` lie transposed, as EMNIST's: "yes", "no", or
            "auto", which looks at them.

    Raises:
        UsageError: an argument is of the wrong kind or out of its range.
        DlprojError: a file is absent, damaged or of the wrong kind, or cannot be downloaded.
    """
    if not isinstance(dataset, str) or dataset not in DATASETS:
        raise UsageError(f"dataset must be one of {', '.join(DATASETS)}, not {dataset!r}")
    if isinstance(validation, bool) or not isinstance(validation, int) or validation < 0:
        raise UsageError(f"validation must be a whole number from 0 on, not {validation!r}")
    if not isinstance(transpose, str) or transpose not in {"auto", "yes", "no"}:
        raise UsageError(f"transpose must be auto, yes or no, not {transpose!r}")
    if folder is not None:
        return _hold_out(_read_own(path_of("folder", folder), transpose), validation)
    return _hold_out(
        _digits(*read_mnist()) if dataset == "mnist" else _download(dataset), validation
    )


def load_test_digits() -> Digits:
    """What of MNIST a network is tested on, with no images to learn from.

    Raises:
        DlprojError: a file is damaged.
    """
    pictures, labels = read_mnist(train=False)
    return _digits(pictures[:0], labels[:0], pictures, labels)


def _read_own(path: Path, transpose: str) -> Digits:
    try:
        return read_images(path, transpose)
    except OSError as error:
        raise DlprojError(f"--data {path}: {error.strerror or error}") from None
    except DlprojError as error:
        raise type(error)(f"--data {error}") from None


def _digits(
    train_pictures: Tensor, train_labels: Tensor, test_pictures: Tensor, test_labels: Tensor
) -> Digits:
    classes = int(torch.cat([train_labels, test_labels]).max()) + 1
    return Digits(
        train=Images(train_pictures, train_labels.long()),
        validation=Images(train_pictures[:0], train_labels[:0].long()),
        test=Images(test_pictures, test_labels.long()),
        names=[str(label) for label in range(max(classes, 10))],
    )


def _hold_out(digits: Digits, count: int) -> Digits:
    if count == 0:
        return digits
    if count >= len(digits.train):
        raise DlprojError(
            f"--validation {count}: must leave some of the {len(digits.train)} training images"
        )
    # Not by the run's seed: all runs are judged on the same images.
    order = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(0))
    held, kept = order[:count], order[count:]
    train = digits.train
    return replace(
        digits,
        train=Images(train.pictures[kept], train.labels[kept]),
        validation=Images(train.pictures[held], train.labels[held]),
    )


def _download(dataset: str) -> Digits:
    from dlproj.data.vision import torchvision_datasets  # noqa: PLC0415 - takes seconds

    datasets = torchvision_datasets()
    kind, options = {
        "fashion-mnist": (datasets.FashionMNIST, {}),
        "kmnist": (datasets.KMNIST, {}),
        "qmnist": (datasets.QMNIST, {}),
        "emnist": (datasets.EMNIST, {"split": "digits"}),
    }[dataset]
    cache = user_cache_path("dlproj")
    try:
        train, test = (
            kind(str(cache), train=train, download=True, **options) for train in (True, False)
        )
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise DlprojError(
            f"--dataset {dataset}: cannot be downloaded ({reason}); when offline, put its four "
            "IDX files in a folder and name that with --data"
        ) from None
    parts = [train.data, train.targets, test.data, test.targets]
    if dataset == "qmnist":  # a row of facts for each image; its first is the label
        parts = [part[:, 0] if part.ndim == 2 else part for part in parts]
    if dataset == "emnist":  # holds each image transposed
        parts = [part.mT.contiguous() if part.ndim == 3 else part for part in parts]
    return replace(_digits(*parts), names=[str(name) for name in train.classes])

"""Images of digits: MNIST, which ships; its relatives; or the user's own in the same layout."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor

from dlproj.data.idx import read_idx
from dlproj.errors import DlprojError, UsageError

SHIPPED = Path(__file__).parent / "files" / "mnist"
SHA256 = {
    "train-images-idx3-ubyte.gz": "7ff28fd295f802eefc6d40e461175dfe4b969b1842b2abc8c6dc8c20711cf79f",
    "train-labels-idx1-ubyte.gz": "81a978ae83d39ffdba0db3ce2fcaf80a8921e9629e874428996a2b03242d4b2a",
    "t10k-images-idx3-ubyte.gz": "197e111ae341b0770be9011ac5e622d0e6cd1c640b32eb0de5dc1dd26cc6e182",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
SIDE = 28
DATASETS = ("mnist", "fashion-mnist", "kmnist", "qmnist", "emnist")


@dataclass(frozen=True)
class Images:
    """Pictures (n, 28, 28) of bytes, and their labels (n,) of integers from 0 on."""

    pictures: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Images":
        """The same, on a device."""
        return Images(self.pictures.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Digits:
    """A data set: training, held-out validation (maybe empty) and test images."""

    train: Images
    validation: Images
    test: Images
    names: list[str]

    @property
    def classes(self) -> int:
        """How many kinds of image there are."""
        return len(self.names)


def to_pixels(pictures: Tensor) -> Tensor:
    """Bytes (n, 28, 28) to what networks take: (n, 1, 28, 28) in [0, 1].

    Raises:
        UsageError: they are something else.
    """
    if not isinstance(pictures, Tensor) or pictures.dtype != torch.uint8 or pictures.ndim != 3:
        raise UsageError("pictures must be bytes: a tensor (n, 28, 28) of torch.uint8")
    return pictures.unsqueeze(1).float().div_(255)


def load_digits(
    dataset: str = "mnist", folder: Path | str | None = None, *, validation: int = 0
) -> Digits:
    """Load a data set by name, or the four IDX files of a folder.

    Args:
        dataset: "mnist" (ships), "fashion-mnist", "kmnist", "qmnist" or "emnist" (its digits).
        folder: four files named as MNIST's, with any prefix, raw or .gz; `dataset` is ignored.
        validation: how many training images to hold out: the same ones every time.

    Raises:
        UsageError: an argument is of the wrong kind or out of its range.
        DlprojError: a file is absent, damaged or of the wrong kind, or cannot be downloaded.
    """
    if dataset not in DATASETS:
        raise UsageError(f"dataset must be one of {', '.join(DATASETS)}, not {dataset!r}")
    if isinstance(validation, bool) or not isinstance(validation, int) or validation < 0:
        raise UsageError(f"validation must be a whole number from 0 on, not {validation!r}")
    if not isinstance(folder, str | Path | None):
        raise UsageError(f"folder must be a path, not {folder!r}")
    folder = Path(folder) if folder is not None else None
    if folder is None and dataset != "mnist":
        return _hold_out(_download(dataset), validation)
    return _hold_out(_read_folder(folder or SHIPPED), validation)


def _read_folder(folder: Path) -> Digits:
    if folder == SHIPPED:
        _verify_shipped()
    paths = [
        _find(folder, split, kind) for split in ("train", "t10k") for kind in ("images", "labels")
    ]
    with ThreadPoolExecutor() as pool:
        arrays = pool.map(read_idx, paths, (3, 1, 3, 1))
    tensors = [torch.from_numpy(array) for array in arrays]
    for pictures, labels, where in (
        (tensors[0], tensors[1], paths[0]),
        (tensors[2], tensors[3], paths[2]),
    ):
        _check(pictures, labels, where)
    if paths[0].name.startswith("emnist"):  # EMNIST's files hold each image transposed
        tensors[0], tensors[2] = tensors[0].mT.contiguous(), tensors[2].mT.contiguous()
    return _digits(*tensors)


def _find(folder: Path, split: str, kind: str) -> Path:
    """The file of one split: `train-images-idx3-ubyte`, or with a prefix, a dot, or .gz."""
    dimensions = 3 if kind == "images" else 1
    if not folder.is_dir():
        raise DlprojError(f"--data {folder}: no such folder")
    splits = ("t10k", "test") if split == "t10k" else (split,)
    for name in splits:
        for pattern in (f"*{name}-{kind}[-.]idx{dimensions}-ubyte{end}" for end in ("", ".gz")):
            for path in sorted(folder.glob(pattern)):
                return path
    expected = f"{split}-{kind}-idx{dimensions}-ubyte"
    raise DlprojError(f"--data {folder}: holds no {expected} or {expected}.gz")


def _verify_shipped() -> None:
    for name, expected in SHA256.items():
        try:
            digest = hashlib.sha256((SHIPPED / name).read_bytes()).hexdigest()
        except OSError as error:
            digest = str(error)
        if digest != expected:
            raise DlprojError(f"{SHIPPED / name} is damaged: install dlproj again")


def _check(pictures: Tensor, labels: Tensor, where: Path) -> None:
    if pictures.shape[1:] != (SIDE, SIDE):
        height, width = pictures.shape[1:]
        raise DlprojError(f"{where}: images are {height}x{width}, not {SIDE}x{SIDE}")
    if len(pictures) != len(labels):
        raise DlprojError(f"{where}: {len(pictures)} images, but {len(labels)} labels beside it")
    if not len(pictures):
        raise DlprojError(f"{where}: holds no images")


def _digits(
    train_pictures: Tensor, train_labels: Tensor, test_pictures: Tensor, test_labels: Tensor
) -> Digits:
    classes = int(max(train_labels.max(), test_labels.max())) + 1
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

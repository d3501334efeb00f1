"""The user's own images: whatever their files are, one data set in MNIST's form."""

from pathlib import Path

from dlproj.data.image_data import Digits, Images
from dlproj.data.images.arrays import read_arrays
from dlproj.data.images.classes import to_classes
from dlproj.data.images.folders import read_class_folders
from dlproj.data.images.found import Found
from dlproj.data.images.idx_folder import read_idx_folder
from dlproj.data.images.pixels import to_pictures
from dlproj.data.images.tables import read_image_tables
from dlproj.data.images.upright import lies_transposed
from dlproj.data.notes import Notes, listed
from dlproj.errors import DlprojError

READERS = (read_idx_folder, read_arrays, read_image_tables, read_class_folders)  # tried in turn
EXPECTED = (
    "the four IDX files of MNIST (train-images-idx3-ubyte, train-labels-idx1-ubyte, "
    "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, or .gz), an .npz, a .csv of label and pixels, "
    "or a folder of pictures for each class"
)


def read_images(path: Path, transpose: str = "auto") -> Digits:
    """The images under a path.

    Args:
        path: a folder or file of any kind that `docs/own-data.md` names.
        transpose: "yes", "no", or "auto", which looks at the images.

    Raises:
        DlprojError: it holds no images, or something is wrong with them.
        OSError: it cannot be read.
    """
    found = next((found for read in READERS if (found := read(path))), None)
    if found is None:
        if not path.exists():
            raise DlprojError(f"{path}: no such folder or file")
        raise DlprojError(f"{path}: holds no images; expected are {EXPECTED}")
    for part, what in ((found.train, "training"), (found.test, "test")):
        if len(part.images) != len(part.labels):
            counts = f"{len(part.images)} images, but {len(part.labels)} labels beside it"
            raise DlprojError(f"{path}: {what} set: {counts}")
        if not len(part.images):
            raise DlprojError(f"{path}: holds no {what} images")
    if found.train.images.shape[1:] != found.test.images.shape[1:]:
        sizes = " and ".join(
            "x".join(map(str, part.images.shape[1:])) for part in (found.train, found.test)
        )
        raise DlprojError(f"{path}: training and test images differ in size: {sizes}")
    return _assembled(found, transpose)


def _assembled(found: Found, transpose: str) -> Digits:
    (train, test), pixel_remarks = to_pictures([found.train.images, found.test.images], found.where)
    train_labels, test_labels, names, label_remarks = to_classes(
        found.train.labels, found.test.labels, found.names, found.where
    )
    turn, remark = _turned(found, transpose, lies_transposed(train, train_labels, names))
    if turn:
        train, test = train.mT.contiguous(), test.mT.contiguous()
    summary = (
        f"read {found.where} ({found.written}): {len(train):,} training and {len(test):,} test "
        f"images of {len(names)} classes: {listed(names, 12)}"
    )
    remarks = (*found.remarks, *pixel_remarks, *([remark] if remark else []), *label_remarks)
    return Digits(
        train=Images(train, train_labels),
        validation=Images(train[:0], train_labels[:0]),
        test=Images(test, test_labels),
        names=names,
        notes=Notes(summary, remarks),
    )


def _turned(found: Found, transpose: str, seen: bool | None) -> tuple[bool, str]:
    """Whether to transpose the images, and what to say of it."""
    if transpose != "auto":
        doubt = seen is not None and seen != (transpose == "yes")
        text = f"they look {'transposed' if seen else 'upright'} as they lie in the files"
        return transpose == "yes", f"--transpose {transpose}, but {text}" if doubt else ""
    if found.upright:
        return False, ""
    if seen:
        return True, "the images lie transposed, as EMNIST's do: put upright"
    if found.emnist and seen is None:
        return True, (
            "named as EMNIST's, whose images lie transposed: put upright (if they were already, "
            "say --transpose no)"
        )
    if found.emnist:
        return False, "named as EMNIST's, but upright already: left as they are"
    return False, ""

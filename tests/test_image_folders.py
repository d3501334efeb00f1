"""What of a folder or a file is images, and what is passed over or refused."""

import io
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dlproj.data.digits import load_digits
from dlproj.data.images import tables
from dlproj.data.images.arrays import _role
from dlproj.data.images.folders import read_class_folders
from dlproj.errors import DlprojError
from tests.support.own_images import TEST, TRAIN, csv, npz, write

ENDINGS = {
    *("png", "bmp", "gif", "webp", "tif", "tiff", "pgm", "pbm", "ppm"),
    *("jpg", "jpeg", "jpe", "jfif", "heic", "avif", "tga", "jp2", "pnm", "ico", "dib", "qoi"),
}

DRAWN = io.BytesIO()
Image.fromarray(255 - np.pad(TRAIN[0][0], 10)).save(DRAWN, "PNG")
PICTURE = DRAWN.getvalue()


def test_pictures_are_known_by_any_of_their_endings(tmp_path: Path) -> None:
    """Small or large; what is in them is looked at later."""
    picture = Image.fromarray(255 - np.pad(TRAIN[0][0], 10)).resize((144, 144))
    for label, ending, other in product("01", ENDINGS, (str.lower, str.upper)):
        path = tmp_path / label / f"{other is str.upper}.{other(ending)}"
        path.parent.mkdir(exist_ok=True)
        picture.save(path, "PNG")
    (tmp_path / "1" / ".hidden.png").write_text("no picture")
    for hidden in (".thumbnails", "__MACOSX"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "0.png").write_text("no picture")
    digits = load_digits(folder=tmp_path)
    assert len(digits.train) + len(digits.test) == 4 * len(ENDINGS)
    assert not any("passed over" in remark for remark in digits.notes.remarks)


def splits(path: Path, names: str) -> tuple[list[int], list[str]]:
    """How many pictures are trained and tested on, of 1 in the first folder, 2 in the next, ..."""
    for count, name in enumerate(names.split(), 1):
        (path / name / "zero").mkdir(parents=True)
        for number in range(count):
            (path / name / "zero" / f"{number}.png").write_bytes(PICTURE)
    found = read_class_folders(path)
    assert found is not None
    return [len(found.train.labels), len(found.test.labels)], [*found.remarks]


@pytest.mark.parametrize("test", ["test", "testing", "t10k", "Test"])
@pytest.mark.parametrize("train", ["train", "training", "TRAIN"])
def test_folders_are_known_by_their_names(train: str, test: str, tmp_path: Path) -> None:
    assert splits(tmp_path, f"{train} {test}") == ([1, 2], [])


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev", "Val"])
def test_images_for_validation_are_tested_on_where_there_are_no_others(
    name: str, tmp_path: Path
) -> None:
    assert splits(tmp_path / "two", f"train {name}") == (
        [1, 2],
        [f"no test folder: {name} is tested on"],
    )
    assert splits(tmp_path / "three", f"train {name} test") == (
        [1, 3],
        [f"{name} is passed over; --validation N holds some images out"],
    )


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("x_train", ("train", "images")),
        ("y_train", ("train", "labels")),
        ("Training_Images", ("train", "images")),
        ("train_imgs", ("train", "images")),
        ("X_test", ("test", "images")),
        ("ys_testing", ("test", "labels")),
        ("t10k-labels", ("test", "labels")),
        ("eval_data", ("test", "images")),
        ("evaluation_targets", ("test", "labels")),
        ("val_pixels", ("validation", "images")),
        ("valid_lbl", ("validation", "labels")),
        ("validation_features", ("validation", "images")),
        ("dev_classes", ("validation", "labels")),
        ("mnist_x", ("all", "images")),
        ("kmnist-test-imgs", ("test", "images")),
        ("xs", ("all", "images")),
        ("y", ("all", "labels")),
        ("pictures", ("all", "images")),
        ("digits", ("all", "images")),
        ("mnist", None),
        ("notes", None),
    ],
)
def test_arrays_are_known_by_their_names(name: str, role: tuple[str, str] | None) -> None:
    assert _role(name) == role


def test_arrays_for_validation_are_tested_on_where_there_are_no_others(tmp_path: Path) -> None:
    learnt = {"x_train": TRAIN[0], "y_train": TRAIN[1]}
    held_out = {"x_val": TEST[0][:5], "y_val": TEST[1][:5]}
    digits = load_digits(folder=npz(tmp_path / "two.npz", **learnt, **held_out))
    assert digits.notes.remarks[0] == "no test images: those for validation are tested on"
    assert torch.from_numpy(TEST[0][:5]).equal(digits.test.pictures)
    tested = {"x_test": TEST[0], "y_test": TEST[1]}
    digits = load_digits(folder=npz(tmp_path / "three.npz", **learnt, **held_out, **tested))
    assert digits.notes.remarks[0] == (
        "images for validation are passed over; --validation N holds some out"
    )
    assert torch.from_numpy(TEST[0]).equal(digits.test.pictures)


@pytest.mark.parametrize("form", ["array", "arrays", "table", "IDX"])
def test_names_of_files_may_be_in_capitals(form: str, tmp_path: Path) -> None:
    """Of what is read, and so also its endings."""
    own = write(tmp_path / "own") if form == "IDX" else tmp_path / "own"
    own.mkdir(exist_ok=True)
    if form == "table":
        (own / "train.csv").write_bytes(csv(TRAIN))
        (own / "test.csv").write_bytes(csv(TEST))
    elif form == "array":
        npz(own / "x_train.npz", arr_0=TRAIN[0])
        npz(own / "y_train.npz", arr_0=TRAIN[1])
        npz(own / "x_test.npz", arr_0=TEST[0])
        npz(own / "y_test.npz", arr_0=TEST[1])
    elif form == "arrays":
        keys = {"x_train": TRAIN[0], "y_train": TRAIN[1], "x_test": TEST[0], "y_test": TEST[1]}
        npz(own / "own.npz", **keys)
    for file in [*own.iterdir()]:
        stem, dot, ending = file.name.rpartition(".")
        # A folder is searched for arrays by their endings in small letters.
        file.rename(own / (f"{stem.upper()}{dot}{ending}" if "np" in ending else file.name.upper()))
    digits = load_digits(folder=own)
    assert torch.from_numpy(TRAIN[0]).equal(digits.train.pictures)
    assert torch.from_numpy(TEST[1]).long().equal(digits.test.labels)


def test_an_array_by_itself_may_end_in_capitals(tmp_path: Path) -> None:
    keys = {"x_train": TRAIN[0], "y_train": TRAIN[1], "x_test": TEST[0], "y_test": TEST[1]}
    path = npz(tmp_path / "own.npz", **keys).rename(tmp_path / "OWN.NPZ")
    assert torch.from_numpy(TRAIN[0]).equal(load_digits(folder=path).train.pictures)


@pytest.mark.parametrize("name", ["label", "labels", "class", "target", "y", "digit", "Letter"])
def test_a_label_may_stand_last_under_any_of_its_names(name: str, tmp_path: Path) -> None:
    rows = "".join(f"{'0,' * 14}{n},255,{n % 2}\n" for n in range(60))
    header = ",".join([*(f"p{n}" for n in range(16)), name])
    (tmp_path / "own.csv").write_text(f"{header}\n{rows}")
    digits = load_digits(folder=tmp_path / "own.csv")
    assert "own.csv: the label is the last column" in digits.notes.remarks
    assert set(digits.train.labels.tolist()) == {0, 1}


def test_beside_a_folder_for_training_others_are_passed_over(tmp_path: Path) -> None:
    for folder, count in (("train/0", 30), ("train/1", 30), ("spoilt/0", 5)):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(count):
            picture = Image.fromarray(255 - np.pad(TRAIN[0][0], 10)).resize((144, 144))
            picture.save(tmp_path / folder / f"{number}.png")
    digits = load_digits(folder=tmp_path)
    assert len(digits.train) + len(digits.test) == 60
    assert "a tenth, by a hash of each name" in digits.notes.remarks[0]


def test_test_images_without_labels_are_passed_over(tmp_path: Path) -> None:
    arrays = {"x_train": TRAIN[0], "y_train": TRAIN[1], "x_test": TEST[0]}
    digits = load_digits(folder=npz(tmp_path / "own.npz", **arrays))
    assert len(digits.train) + len(digits.test) == len(TRAIN[0])


def test_a_table_is_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"{n % 2},{'0,' * 14}{n},255\n" for n in range(60))
    (tmp_path / "own.csv").write_text(text)
    (tmp_path / "._own.csv").write_bytes(b"\0")  # of macOS
    assert len(load_digits(folder=tmp_path).train) < 60
    monkeypatch.setattr(tables, "MAX_BYTES", len(text))
    assert load_digits(folder=tmp_path / "own.csv").classes == 10
    monkeypatch.setattr(tables, "MAX_BYTES", len(text) - 1)
    with pytest.raises(DlprojError, match="larger than a table of images can be"):
        load_digits(folder=tmp_path / "own.csv")

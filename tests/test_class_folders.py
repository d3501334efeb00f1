"""Folders of a class each: which are classes, and what is said of what is passed over."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlproj.data.digits import load_digits
from dlproj.data.images.folders import ENDINGS, read_class_folders
from dlproj.errors import DlprojError
from tests.support.own_images import TRAIN

DRAWN = io.BytesIO()
Image.fromarray(255 - np.pad(TRAIN[0][0], 10)).save(DRAWN, "PNG")
PICTURE = DRAWN.getvalue()


def put(path: Path, *files: str) -> Path:
    """The same picture in every file."""
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_bytes(PICTURE)
    return path


def remarks(path: Path) -> list[str]:
    found = read_class_folders(path)
    assert found is not None
    return [remark for remark in found.remarks if "no test folder" not in remark]


@pytest.mark.parametrize("ending", ["tga", "jp2", "pcx", "ico", "sgi", "dds", "pnm"])
def test_pictures_of_other_kinds_are_read(ending: str, tmp_path: Path) -> None:
    picture = Image.fromarray(255 - np.pad(TRAIN[0][0], 10)).resize((96, 96))
    for name in ("a", "b"):
        put(tmp_path, *(f"{name}/{number}.png" for number in range(20)))
    picture.save(tmp_path / "b" / f"own.{ending}")
    digits = load_digits(folder=tmp_path)
    assert len(digits.train) + len(digits.test) == 41
    assert not any("passed over" in remark for remark in digits.notes.remarks)


def test_pillow_reads_what_counts_as_a_picture() -> None:
    Image.init()
    read = {ending for ending, kind in Image.EXTENSION.items() if kind in Image.OPEN}
    assert ENDINGS - {".heic", ".avif", ".avifs", ".qoi"} <= read  # not in every Pillow


def test_files_that_are_no_pictures_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png", "a/2.xyz", "a/.hidden", "a/Thumbs.db", "b/1.png", "b/deep/3", "c.xyz")
    assert remarks(tmp_path) == [
        "2 files passed over, with no ending of a picture: a/2.xyz, b/deep/3"
    ]
    put(tmp_path / "two", "train/a/1.png", "train/a/x.svg", "test/a/1.png", "test/a/.DS_Store")
    assert remarks(tmp_path / "two") == [
        "1 file passed over, with no ending of a picture: train/a/x.svg"
    ]


def test_pictures_in_no_folder_of_a_class_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png", "b/1.png", "1.png", "2.jpg", ".3.png")
    assert remarks(tmp_path) == ["2 pictures passed over, in no folder of a class: 1.png, 2.jpg"]


def test_folders_without_pictures_are_named(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png", "b/1.png", "c/.DS_Store", "d/1.xyz")
    assert remarks(tmp_path) == [
        "no pictures in c, d: no class",
        "1 file passed over, with no ending of a picture: d/1.xyz",
    ]


def test_folders_beside_those_of_the_splits_are_named(tmp_path: Path) -> None:
    used = [f"{split}/{name}/1.png" for split in ("train", "test") for name in "ab"]
    put(tmp_path, *used, "cats/1.png", "dogs/1.png", "notes/1.txt")
    assert remarks(tmp_path) == ["beside train, passed over: cats, dogs, notes"]
    put(tmp_path / "two", "train/a/1.png", "train/b/1.png", "birds/1.png")
    assert remarks(tmp_path / "two") == ["beside train, passed over: birds"]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{n}.png" for name in ("train", "bus", "car") for n in range(20)))
    assert load_digits(folder=tmp_path).names == ["bus", "car", "train"]


def test_a_folder_for_training_may_hold_a_picture_beside_its_classes(tmp_path: Path) -> None:
    names = [f"train/{name}/{n}.png" for name in "ab" for n in range(20)]
    put(tmp_path, "train/loose.png", *names)
    assert load_digits(folder=tmp_path).names == ["a", "b"]


@pytest.mark.parametrize("other", ["test", "val"])
def test_beside_a_test_folder_train_is_no_class(other: str, tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{n}.png" for name in ("train", other) for n in range(20)))
    with pytest.raises(DlprojError, match="holds no images; expected are"):
        load_digits(folder=tmp_path)


@pytest.mark.parametrize("folders", [("1", "01", "2"), ("train/1", "train/2", "test/01")])
def test_two_folders_of_one_number_are_refused(folders: tuple[str, ...], tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{n}.png" for name in folders for n in range(20)))
    with pytest.raises(DlprojError, match="the folders 01, 1 have the same number as their class"):
        load_digits(folder=tmp_path)


def test_names_that_are_not_all_numbers_are_texts(tmp_path: Path) -> None:
    put(tmp_path, *(f"{name}/{n}.png" for name in ("1", "01", "a") for n in range(20)))
    assert load_digits(folder=tmp_path).names == ["01", "1", "a"]

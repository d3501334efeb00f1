"""Images as people have them: whatever the files, MNIST's form, and a remark on what was done."""

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from dlproj.data.digits import load_digits
from dlproj.data.images.upright import lies_transposed
from dlproj.errors import DlprojError, UsageError
from tests.conftest import Dlproj
from tests.support.own_images import MNIST, TEST, TRAIN, Array, is_mnist, npz, remarks, write


def turned(part: tuple[Array, Array]) -> tuple[Array, Array]:
    return np.ascontiguousarray(part[0].swapaxes(1, 2)), part[1]


@pytest.mark.parametrize("prefix", ["", "my-", "emnist-digits-", "EMNIST-digits-"])
@pytest.mark.parametrize("lie", ["upright", "transposed"])
def test_the_images_say_whether_they_lie_transposed(lie: str, prefix: str, tmp_path: Path) -> None:
    train, test = (TRAIN, TEST) if lie == "upright" else (turned(TRAIN), turned(TEST))
    digits = load_digits(folder=write(tmp_path, train, test, prefix))
    assert is_mnist(digits)
    if lie == "transposed":
        assert remarks(digits) == "the images lie transposed, as EMNIST's do: put upright"
    elif "mnist" in prefix.lower():
        assert remarks(digits) == "named as EMNIST's, but upright already: left as they are"
    else:
        assert remarks(digits) == ""


def test_the_flag_wins_with_a_remark(tmp_path: Path) -> None:
    write(tmp_path)
    digits = load_digits(folder=tmp_path, transpose="yes")
    assert torch.from_numpy(turned(TRAIN)[0]).equal(digits.train.pictures)
    assert remarks(digits) == "--transpose yes, but they look upright as they lie in the files"
    assert remarks(load_digits(folder=tmp_path, transpose="no")) == ""


def test_images_that_are_no_digits_stay_as_they_are(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, TRAIN[0].shape, np.uint8)
    digits = load_digits(folder=write(tmp_path, (noise, TRAIN[1])))
    assert torch.from_numpy(noise).equal(digits.train.pictures)
    assert "upright" not in remarks(digits)
    labels = (MNIST.train.labels * 3 + 4) % 10  # digits under wrong names
    names = list(string.digits)
    assert lies_transposed(MNIST.train.pictures[:3000].mT, labels[:3000], names) is None


def test_images_that_are_as_good_either_way_say_nothing() -> None:
    halves = MNIST.train.pictures[:3000] // 2
    names = list(string.digits)
    assert lies_transposed(halves, MNIST.train.labels[:3000], names) is False
    assert lies_transposed(halves + halves.mT, MNIST.train.labels[:3000], names) is None


def letters(count: int) -> tuple[Array, Array]:
    """Letters of a font, a few pixels to and fro, labelled from 1 on."""
    font = ImageFont.truetype(f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 22)
    images = []
    for number in range(count):
        image = Image.new("L", (28, 28))
        place = 14 + number % 3 - 1, 14 + number // 26 % 3 - 1
        letter = string.ascii_lowercase[number % 26]
        ImageDraw.Draw(image).text(place, letter, 255, font, anchor="mm")
        images.append(np.asarray(image))
    return np.array(images), (np.arange(count) % 26 + 1).astype(np.uint8)


@pytest.mark.parametrize("prefix", ["", "emnist-letters-"])
def test_letters_have_names_and_are_put_upright(prefix: str, tmp_path: Path) -> None:
    train, test = letters(260), letters(52)
    digits = load_digits(folder=write(tmp_path, turned(train), turned(test), prefix))
    assert digits.names == list(string.ascii_lowercase)
    assert digits.train.labels[:3].tolist() == [0, 1, 2]
    assert torch.from_numpy(train[0]).equal(digits.train.pictures)
    assert "put upright" in remarks(digits)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("byclass", string.digits + string.ascii_uppercase + string.ascii_lowercase),
        ("bymerge", string.digits + string.ascii_uppercase + "abdefghnqrt"),
        ("balanced", string.digits + string.ascii_uppercase + "abdefghnqrt"),
    ],
)
def test_emnists_sets_have_their_letters(name: str, letters: str, tmp_path: Path) -> None:
    """Cohen et al. 2017, table 2."""
    labels = np.arange(300) % len(letters)
    part = TRAIN[0], labels.astype(np.uint8)
    digits = load_digits(folder=write(tmp_path, part, part, f"emnist-{name}-"))
    assert digits.names == [*letters]


def test_several_sets_in_a_folder_are_asked_about(tmp_path: Path) -> None:
    for prefix in ("emnist-balanced-", "emnist-digits-"):
        write(tmp_path, turned(TRAIN), turned(TEST), prefix)
    with pytest.raises(DlprojError, match=r"several sets \(emnist-balanced, emnist-digits\)"):
        load_digits(folder=tmp_path)
    assert is_mnist(load_digits(folder=tmp_path / "emnist-digits"))
    assert len(load_digits(folder=tmp_path / "emnist-balanced").names) == 47


def test_qmnists_own_names_and_files_of_macos(tmp_path: Path) -> None:
    facts = [
        np.stack([part[1].astype(np.int32)] + 7 * [np.full_like(part[1], 9, np.int32)], 1)
        for part in (TRAIN, TEST)
    ]
    train, test = (TRAIN[0], facts[0]), (TEST[0], facts[1])
    write(tmp_path, train, test, "qmnist-", "labels-idx2-int")
    (tmp_path / "._train-images-idx3-ubyte").write_bytes(b"\0\5\x16\7" + bytes(100))
    assert is_mnist(load_digits(folder=tmp_path))


def test_arrays(tmp_path: Path) -> None:
    keys = {"x_train": TRAIN[0], "y_train": TRAIN[1], "x_test": TEST[0], "y_test": TEST[1]}
    assert is_mnist(load_digits(folder=npz(tmp_path / "mnist.npz", **keys)))
    others = {
        "train_images": TRAIN[0],
        "train_labels": TRAIN[1][:, None],
        "test_images": TEST[0],
        "test_labels": np.eye(10)[TEST[1]],
    }
    assert is_mnist(load_digits(folder=npz(tmp_path / "medmnist.npz", **others)))
    flat = keys | {"x_train": TRAIN[0].reshape(300, -1), "x_test": TEST[0].reshape(100, -1)}
    assert is_mnist(load_digits(folder=npz(tmp_path / "flat.npz", **flat)))
    single = tmp_path / "kmnist"
    single.mkdir()
    for name, array in (
        ("train-imgs", TRAIN[0]),
        ("train-labels", TRAIN[1]),
        ("test-imgs", TEST[0]),
        ("test-labels", TEST[1]),
    ):
        npz(single / f"kmnist-{name}.npz", arr_0=array)
    assert is_mnist(load_digits(folder=single))


def enlarged(images: Array) -> Array:
    return np.kron(images, np.ones((1, 2, 2), np.uint8))


FORMS: dict[str, tuple[Callable[[Array], Array], str]] = {
    "colour": (lambda x: np.repeat(x[..., None], 3, -1), "colour images are taken as shades"),
    "channels first": (lambda x: np.repeat(x[:, None], 3, 1), "colour images are taken as shades"),
    "parts of white": (lambda x: x / 255, "from 0 to 1 are taken as parts of white"),
    "dark ink": (lambda x: 255 - x, "dark ink on a light ground: turned"),
    "large": (enlarged, "56x56 pixels are scaled to 28x28"),
    "16 bits": (lambda x: x.astype(np.uint16) * 257, "are taken as 16 bits each"),
    "0 to 16": (lambda x: x / 255 * 16, "from 0 to 16 are scaled to 0 to 255"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_brought_to_mnists(name: str, tmp_path: Path) -> None:
    form, remark = FORMS[name]
    path = npz(
        tmp_path / "own.npz",
        x_train=form(TRAIN[0]),
        y_train=TRAIN[1],
        x_test=form(TEST[0]),
        y_test=TEST[1],
    )
    digits = load_digits(folder=path)
    difference = digits.train.pictures.int() - torch.from_numpy(TRAIN[0]).int()
    assert difference.abs().max() <= 1
    assert remark in remarks(digits)


def test_images_that_are_no_squares_keep_their_shape(tmp_path: Path) -> None:
    wide = np.zeros((2, 20, 40), np.uint8)
    wide[:, :10, 10:30] = 255
    path = npz(
        tmp_path / "own.npz", x_train=wide, y_train=np.arange(2), x_test=wide, y_test=np.arange(2)
    )
    rows, columns = load_digits(folder=path).train.pictures[0].gt(128).nonzero(as_tuple=True)
    height, width = (int(place.max() - place.min()) + 1 for place in (rows, columns))
    assert (height, width) == (7, 14)


def test_labels_with_gaps_and_odd_splits(tmp_path: Path) -> None:
    labels = np.where(TRAIN[1] == 3, 17, TRAIN[1]).astype(np.uint8)
    digits = load_digits(folder=write(tmp_path / "gaps", (TRAIN[0], labels)))
    assert digits.names == [*string.digits, "17"]
    text = remarks(digits)
    assert "labels from 0 to 17 leave out 10, 11, 12, 13, 14, 15, 16" in text
    assert "no training images of 3, which the test images have" in text
    assert "no test images of 17" in text
    one = load_digits(folder=write(tmp_path / "one", TRAIN, (TEST[0][:1], TEST[1][:1])))
    assert "1 test image: an accuracy of so few says little" in remarks(one)
    swapped = load_digits(folder=write(tmp_path / "swapped", TEST, TRAIN))
    assert "are the files exchanged?" in remarks(swapped)


def draw(folder: Path, name: str, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(255 - np.pad(TRAIN[0][number], 10)).resize((144, 144))
    picture.save(folder / name)


def test_folders_of_pictures(tmp_path: Path, dlproj: Dlproj) -> None:
    names = {0: "null", 1: "[b]eins"}
    chosen = [n for n in range(300) if TRAIN[1][n] in names]
    for number in chosen:
        draw(tmp_path / "own" / "wrapped" / names[TRAIN[1][number]], f"{number}.png", number)
    (tmp_path / "own" / "wrapped" / "null" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "own" / "__MACOSX" / "null").mkdir(parents=True)
    digits = load_digits(folder=tmp_path / "own")
    assert digits.names == ["[b]eins", "null"]
    assert len(digits.train) + len(digits.test) == len(chosen)
    assert "1 picture passed over" in remarks(digits)
    assert "broken.png: cannot be read as a picture" in remarks(digits)

    run = ("train-digits", "--data", "own", "--recipe", "fast", "--epochs", 3, "--out", "run")
    done = dlproj(*run)
    assert done.code == 0, done.err
    assert "[b]eins" in done.out
    assert "Glyph" not in done.err
    done = dlproj(
        "predict-digit",
        "--model",
        "run",
        tmp_path / "own/wrapped/[b]eins" / f"{next(n for n in chosen if TRAIN[1][n] == 1)}.png",
        "--json",
    )
    assert set(done.json["predictions"][0]["probabilities"]) == {"[b]eins", "null"}
    done = dlproj("attack", "--epsilon", 0.1, "--model", "run", "--json")
    assert done.json["metrics"]["images"] == len(digits.test)
    assert "attacking the test images of what" in done.err
    done = dlproj("attack", "--epsilon", 0.1, "--model", "run", "--data", write(tmp_path / "idx"))
    assert done.code == 1
    assert "knows [b]eins, null; the images are of 0, 1, 2" in done.err


def test_folders_for_training_and_test(tmp_path: Path) -> None:
    for number in range(40):
        split = "training" if number < 30 else "testing"
        draw(tmp_path / split / str(TRAIN[1][number]), f"{number}.jpg", number)
    digits = load_digits(folder=tmp_path)
    assert (len(digits.train), len(digits.test)) == (30, 10)
    assert digits.train.labels.sort()[0].tolist() == sorted(TRAIN[1][:30].tolist())
    assert digits.names == list(string.digits)


def test_a_class_without_test_images_has_no_accuracy(tmp_path: Path, dlproj: Dlproj) -> None:
    kept = TEST[1] != 4
    write(tmp_path / "own", TRAIN, (TEST[0][kept], TEST[1][kept]))
    run = ("train-digits", "--data", "own", "--recipe", "fast", "--no-plots", "--out", "run")
    done = dlproj(*run)
    assert "no images" in next(line for line in done.out.splitlines() if line.startswith("  4 "))
    assert "remark: no test images of 4" in done.err
    done = dlproj("report", "run", "--json")
    assert done.code == 0, done.err


def test_classes_are_matched_by_name(tmp_path: Path, dlproj: Dlproj) -> None:
    """Images of some of a network's classes, under labels of their own order."""
    kept = TEST[1] > 6
    names = np.array(["seven", "eight", "nine"])
    part = npz(
        tmp_path / "own.npz",
        x_train=TEST[0][kept],
        y_train=names[TEST[1][kept] - 7],
        x_test=TEST[0][kept],
        y_test=names[TEST[1][kept] - 7],
    )
    two = np.isin(TEST[1], (7, 9))
    fewer = npz(
        tmp_path / "two.npz",
        x_train=TEST[0][two],
        y_train=names[TEST[1][two] - 7],
        x_test=TEST[0][two],
        y_test=names[TEST[1][two] - 7],
    )
    assert dlproj("train-digits", "--data", part, "--epochs", 30, "--out", "run").code == 0
    done = dlproj("attack", "--epsilon", 0, "--model", "run", "--data", fewer, "--json")
    assert done.json["metrics"]["clean_accuracy"] > 0.9


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "other names": ({"foo": TRAIN[0]}, "holds foo; expected are x_train, y_train"),
    "normalised": ({"x": TRAIN[0] / 127.5 - 1, "y": TRAIN[1]}, "from -1 to 1; bring them to 0 to"),
    "not finite": (
        {"x": np.where(TRAIN[0] > 254, np.nan, TRAIN[0]), "y": TRAIN[1]},
        "must be finite",
    ),
    "no images": ({"x": TRAIN[0][0], "y": TRAIN[1]}, "28 images, but 300 labels"),
    "no square": (
        {"x": TRAIN[0].reshape(300, -1)[:, 300:390], "y": TRAIN[1]},
        "90 pixels an image are no square",
    ),
    "a label short": (
        {"x_train": TRAIN[0], "y_train": TRAIN[1][1:], "x_test": TEST[0], "y_test": TEST[1]},
        "training set: 300 images, but 299 labels beside it",
    ),
    "an image short": (
        {"x_train": TRAIN[0], "y_train": TRAIN[1], "x_test": TEST[0][1:], "y_test": TEST[1]},
        "test set: 99 images, but 100 labels beside it",
    ),
    "labels below 0": ({"x": TRAIN[0], "y": TRAIN[1] - 1.0}, "label -1 is below 0"),
    "fractions": ({"x": TRAIN[0], "y": TRAIN[1] + 0.5}, "must be integers"),
    "two ones": ({"x": TRAIN[0], "y": np.ones((300, 2))}, "or one-hot rows"),
    "halves": ({"x": TRAIN[0], "y": np.full((300, 2), 0.5)}, "or one-hot rows"),
    "some halves": ({"x": TRAIN[0], "y": np.tile([0.5, 0.5, 0], (300, 1))}, "or one-hot rows"),
    "a line": ({"x": TRAIN[1], "y": TRAIN[1]}, "holds x, y; expected are x_train"),
    "a number": ({"x": TRAIN[0], "y": np.array(3)}, "holds x, y; expected are x_train"),
    "one class": ({"x": TRAIN[0], "y": np.full(300, "a")}, "1 class; 2 to 1000"),
    "objects": ({"x": np.array([{}], object), "y": TRAIN[1]}, "allow_pickle"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arrays_that_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    arrays, message = REFUSED[name]
    path = tmp_path / "own.npz"
    np.savez(path, allow_pickle=True, **arrays)
    with pytest.raises(DlprojError, match=message) as raised:
        load_digits(folder=path)
    assert "\n" not in str(raised.value)


def test_places_without_images_say_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DlprojError, match="holds no images; expected are the four IDX files"):
        load_digits(folder=tmp_path)
    with pytest.raises(DlprojError, match="no such folder or file"):
        load_digits(folder=tmp_path / "absent")
    write(tmp_path)
    with pytest.raises(DlprojError, match="one of four files; name their folder"):
        load_digits(folder=tmp_path / "train-images-idx3-ubyte")


def test_arguments_are_checked() -> None:
    with pytest.raises(UsageError, match=r"validation must be .*, not -1"):
        load_digits(validation=-1)
    with pytest.raises(UsageError, match="dataset must be one of mnist"):
        load_digits("mnits")
    with pytest.raises(UsageError, match="transpose must be"):
        load_digits(folder=Path(), transpose="maybe")


def test_the_flag_needs_data(dlproj: Dlproj) -> None:
    for command in ("train-digits", "attack", "ablate-batchnorm"):
        done = dlproj(command, "--transpose", "yes")
        assert (done.code, done.out) == (2, "")
        assert "is about the images of --data" in done.err

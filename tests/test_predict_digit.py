"""`predict-digit` and `dlproj.predict_digits`: the user's own pictures."""

from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image

import dlproj as library
from dlproj.data.digits import load_digits
from dlproj.data.pictures import read_picture
from dlproj.errors import DlprojError, UsageError
from tests.conftest import Dlproj
from tests.support import schemas


def digit(index: int) -> Image.Image:
    """A test image of MNIST."""
    return Image.fromarray(load_digits().test.pictures[index].numpy())


def on_paper(index: int, *, mode: str = "L", brightness: int = 255) -> Image.Image:
    """The same as a photo: dark ink on a large sheet, away from its middle."""
    sheet = Image.new("L", (400, 300), 255)
    sheet.paste(Image.eval(digit(index).resize((140, 140)), lambda value: 255 - value), (220, 20))
    return Image.eval(sheet, lambda value: value * brightness // 255).convert(mode)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_any_kind_of_picture_becomes_an_mnist_image(mode: str, tmp_path: Path) -> None:
    on_paper(0, mode=mode, brightness=220).save(tmp_path / "seven.png")
    seen = read_picture(tmp_path / "seven.png")
    assert seen.shape == (28, 28)
    assert seen.dtype == torch.uint8
    original = load_digits().test.pictures[0].float()
    likeness = torch.corrcoef(torch.stack([seen.float().flatten(), original.flatten()]))[0, 1]
    assert likeness > 0.85
    rows, columns = (seen > 60).nonzero(as_tuple=True)
    assert max(rows.max() - rows.min(), columns.max() - columns.min()) + 1 == 20


def test_white_ink_on_black_is_taken_as_it_is(tmp_path: Path) -> None:
    digit(2).save(tmp_path / "one.png")
    on_paper(2).save(tmp_path / "paper.png")
    one, paper = (read_picture(tmp_path / f"{name}.png").float() for name in ("one", "paper"))
    assert torch.corrcoef(torch.stack([one.flatten(), paper.flatten()]))[0, 1] > 0.9


def test_digits_are_read(dlproj: Dlproj, tmp_path: Path) -> None:
    expected = load_digits().test.labels[:20].tolist()
    for index in range(20):
        on_paper(index).save(tmp_path / f"{index:02d}.png")
    done = dlproj("predict-digit", *sorted(tmp_path.glob("*.png")), "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.json, schemas.PREDICTIONS)
    read = [int(prediction["label"]) for prediction in done.json["predictions"]]
    assert sum(a == b for a, b in zip(read, expected, strict=True)) >= 18
    with Image.open(tmp_path / "predict-digit.png") as strip:
        assert strip.width > 500


def test_a_digit_in_plain_text(dlproj: Dlproj, tmp_path: Path) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    done = dlproj("predict-digit", "seven.png", "--no-plots")
    name, label, confidence = done.out.rstrip("\n").split("\t")
    assert (name, label) == ("seven.png", "7")
    assert 0.5 < float(confidence) <= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seven.png"]


def test_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    on_paper(0).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((8000, 8000), bool)).save(tmp_path / "bomb.png")
    for name, message in {
        "text": "cannot be read as a picture",
        "blank": "nothing is drawn on it",
        "cut": "damaged or cut off",
        "bomb": "has more than 50,000,000 pixels",
        "none": "no such file$",
    }.items():
        with pytest.raises(DlprojError, match=message):
            read_picture(tmp_path / f"{name}.png")
    with pytest.raises(DlprojError, match="save what comes in a pipe as a file"):
        read_picture(Path("-"))
    with pytest.raises(DlprojError, match="a folder, not a picture; name the files in it"):
        read_picture(tmp_path)


def number(*lines: list[int]) -> Image.Image:
    """Test images of MNIST side by side, in lines."""
    sheet = Image.new("L", (100 * max(map(len, lines)) + 60, 130 * len(lines) + 40), 240)
    for row, line in enumerate(lines):
        for column, index in enumerate(line):
            one = Image.eval(digit(index).resize((90, 90)), lambda value: 240 - value * 215 // 255)
            sheet.paste(one, (35 + 100 * column, 30 + 130 * row + 7 * (column % 2)))
    return sheet


def test_several_digits_line_by_line(dlproj: Dlproj, tmp_path: Path) -> None:
    number([0, 3, 4], [2, 1]).save(tmp_path / "n.png")  # 7 0 4, then 1 2
    done = dlproj("predict-digit", "n.png", "--several", "--no-plots", "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.json, schemas.PREDICTIONS)
    predictions = done.json["predictions"]
    assert [one["label"] for one in predictions] == ["7", "0", "4", "1", "2"]
    assert {one["input"] for one in predictions} == {"n.png"}
    for place, one in enumerate(predictions):
        row, column = divmod(place, 3)
        left, top, right, bottom = one["box"]
        assert 35 + 100 * column < (left + right) / 2 < 125 + 100 * column
        assert 30 + 130 * row < (top + bottom) / 2 < 130 + 130 * row
        assert (right - left) < 90 > (bottom - top)
    word = dlproj("predict-digit", "n.png", "--several", "--no-plots")
    least = min(one["confidence"] for one in predictions)
    assert word.out == f"n.png\t70412\t{least:.4f}\n"


def test_of_several_digits_one_is_read_with_a_remark(dlproj: Dlproj, tmp_path: Path) -> None:
    number([0, 3]).save(tmp_path / "n.png")
    done = dlproj("predict-digit", "n.png", "--no-plots")
    assert done.out.split("\t")[1] in {"7", "0"}
    assert done.err == "n.png: has 2 digits; --several reads all of them\n"
    assert dlproj("predict-digit", "n.png", "--no-plots", "--quiet").err == ""


def test_pictures_that_cannot_be_read_leave_the_results_of_the_others(
    dlproj: Dlproj, tmp_path: Path
) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    on_paper(2).save(tmp_path / "one.png")
    (tmp_path / "text.png").write_text("hello")
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    names = ["seven.png", "text.png", "one.png", "blank.png", "none.png"]
    done = dlproj("predict-digit", *names, "--no-plots")
    assert done.code == 1
    assert [line.split("\t")[:2] for line in done.out.splitlines()] == [
        ["seven.png", "7"],
        ["one.png", "1"],
    ]
    assert done.err.splitlines() == [
        "dlproj: text.png: cannot be read as a picture",
        "dlproj: blank.png: nothing is drawn on it",
        "dlproj: none.png: no such file",
        "dlproj: 3 of 5 pictures could not be read",
    ]
    done = dlproj("predict-digit", *names, "--no-plots", "--json", "--quiet")
    assert done.code == 1
    assert [one["label"] for one in done.json["predictions"]] == ["7", "1"]
    assert [one["input"] for one in done.json["failed"]] == ["text.png", "blank.png", "none.png"]
    assert len(done.err.splitlines()) == 4


def test_one_bad_picture_is_one_line(dlproj: Dlproj) -> None:
    done = dlproj("predict-digit", "none.png")
    assert (done.code, done.out, done.err) == (1, "", "dlproj: none.png: no such file\n")
    address, way_out = "http://x.com/a.png", "no such file; download what is on the web first"
    done = dlproj("predict-digit", address)
    assert done.err == f"dlproj: {address}: {way_out}\n"
    done = dlproj("predict-digit", address, address)
    assert done.err.startswith(f"dlproj: {address}: {way_out}\n")
    with pytest.raises(DlprojError) as failure:
        library.predict_digits(address)
    assert str(failure.value) == f"{address}: {way_out}"


def test_the_strip_never_takes_a_picture_s_place(dlproj: Dlproj, tmp_path: Path) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    before = (tmp_path / "seven.png").read_bytes()
    done = dlproj("predict-digit", "seven.png", "--strip", tmp_path / "x" / ".." / "seven.png")
    assert done.code == 2
    assert "one of the pictures to read" in done.err
    on_paper(0).save(tmp_path / "predict-digit.png")
    done = dlproj("predict-digit", "predict-digit.png")
    assert done.code == 0
    assert done.out.split("\t")[1] == "7"
    assert "not drawn over" in done.err
    assert (tmp_path / "predict-digit.png").read_bytes() == before
    assert dlproj("predict-digit", "seven.png").code == 0
    assert (tmp_path / "predict-digit.png").read_bytes() == before


def test_a_strip_is_known_again(dlproj: Dlproj, tmp_path: Path) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    assert dlproj("predict-digit", "seven.png").code == 0
    (tmp_path / "predict-digit.png").rename(tmp_path / "old.png")
    assert dlproj("predict-digit", "seven.png").code == 0
    done = dlproj("predict-digit", "old.png", "predict-digit.png", "seven.png")
    assert done.code == 0
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["seven.png"]
    assert "old.png: passed over" in done.err


def test_the_strip_is_what_its_name_says(dlproj: Dlproj, tmp_path: Path) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    assert dlproj("predict-digit", "seven.png", "--strip", "seen.JPG").code == 0
    with Image.open(tmp_path / "seen.JPG") as strip:
        assert strip.format == "JPEG"
    done = dlproj("predict-digit", "seven.png", "--strip", "seen.doc")
    assert done.code == 2
    assert "--strip seen.doc: must end with .png, .jpg, .jpeg" in done.err


def test_a_strip_that_cannot_be_drawn_costs_no_prediction(dlproj: Dlproj, tmp_path: Path) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    done = dlproj("predict-digit", "seven.png", "--strip", "nope/x.png")
    assert done.code == 1
    assert done.out.startswith("seven.png\t7\t")
    assert done.err == "dlproj: --strip nope/x.png: no folder nope\n"
    (tmp_path / "predict-digit.png").mkdir()
    done = dlproj("predict-digit", "seven.png")
    assert done.code == 0
    assert done.out.startswith("seven.png\t7\t")
    assert "predict-digit.png" in done.err


def test_a_picture_as_small_as_a_digit_is_read(tmp_path: Path) -> None:
    """In its own pixels, what is found may have no height at all."""
    for index in range(8):
        Image.fromarray(load_digits().test.pictures[index].numpy()).save(tmp_path / f"{index}.png")
    read = labels([tmp_path / f"{index}.png" for index in range(8)])
    assert read == list("72104149")


def test_the_course_s_failed_pictures(course: Path, dlproj: Dlproj) -> None:
    folder = course / "inputs" / "pictures"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    paths = sorted(folder.iterdir())
    done = dlproj("predict-digit", "--several", "--no-plots", *paths)
    assert done.code == 0, done.err
    read = [line.split("\t")[1] for line in done.out.splitlines()]
    assert read == [path.stem.split("_")[-1] for path in paths]


def labels(images: Any, **options: Any) -> list[str]:
    return [one.label for one in library.predict_digits(images, **options)]


def test_python_takes_pictures_in_any_form(tmp_path: Path) -> None:
    on_paper(0).save(tmp_path / "seven.png")
    path = tmp_path / "seven.png"
    bytes_ = load_digits().test.pictures[:2]
    images: Any
    for images in (path, str(path), [path], (str(path),), on_paper(0), [on_paper(0)]):
        assert labels(images) == ["7"], images
    assert library.predict_digits(path)[0].box is not None
    for images in (
        bytes_,
        bytes_.numpy(),
        bytes_ / 255,
        bytes_.unsqueeze(1),
        bytes_.long(),
        [*bytes_],
        (bytes_ / 255).double().requires_grad_(),
        (bytes_ / 255).half(),
        bytes_.tolist(),
    ):
        assert labels(images) == ["7", "2"]
    assert labels(bytes_[0]) == ["7"]
    for images in (bytes_ > 127, (bytes_ > 127).byte(), (bytes_ > 127).numpy().astype(int)):
        assert library.predict_digits(images) == library.predict_digits((bytes_ > 127).float())
        assert labels(images) == ["7", "2"]
    blank = library.predict_digits(np.zeros((1, 28, 28), int))
    assert blank == library.predict_digits(np.zeros((1, 28, 28)))
    for images in ([], (), bytes_[:0], np.zeros((0, 28, 28))):
        assert labels(images) == []
    assert labels(number([0, 3]), several=True) == ["7", "0"]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (None, "must be picture files"),
        (7, "must be"),
        ([Path("x"), 7], "must be picture files"),
        ([None], "must be picture files"),
        ({"a": 1}, "must be picture files"),
        (np.zeros((400, 400)), "Image.fromarray"),
        (np.zeros((2, 3, 28, 28)), "must be \\(n, 28, 28\\)"),
        (np.full((1, 28, 28), 255.0), "divide by 255"),
        (np.full((1, 28, 28), np.nan), "finite"),
        (np.full((1, 28, 28), -1), "0..255"),
        (np.full((1, 28, 28), 1j), "finite real"),
        (np.full((1, 28, 28), "a"), "must be picture files"),
    ],
)
def test_python_refuses_what_is_no_picture(images: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        library.predict_digits(images)


def test_a_bad_picture_is_named_in_python(tmp_path: Path) -> None:
    with pytest.raises(DlprojError, match=r"none.png: no such file"):
        library.predict_digits([tmp_path / "none.png"])
    with pytest.raises(DlprojError, match=r"picture 0 \(counted from 0\): nothing is drawn"):
        library.predict_digits(Image.new("L", (50, 50), 255))

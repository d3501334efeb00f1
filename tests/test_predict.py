"""Predictions on the user's own pictures and words."""

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image

from dlproj.data.digits import load_digits
from dlproj.data.pictures import read_picture
from dlproj.errors import DlprojError
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
        "cut": "cannot be read as a picture",
        "bomb": "has more than 50,000,000 pixels",
        "none": "no such file",
    }.items():
        with pytest.raises(DlprojError, match=message):
            read_picture(tmp_path / f"{name}.png")


def test_words_are_named(dlproj: Dlproj) -> None:
    done = dlproj("predict-langid", "through", "mañana", "yhdeksän", "Goedemorgen", "szczęście",
                  "--json")  # fmt: skip
    assert done.code == 0, done.err
    jsonschema.validate(done.json, schemas.PREDICTIONS)
    assert [prediction["label"] for prediction in done.json["predictions"]] == [
        "English", "Spanish", "Finnish", "Dutch", "Polish",
    ]  # fmt: skip
    for prediction in done.json["predictions"]:
        assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_words_from_a_file_and_from_standard_input(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("through\n\n  mañana  \r\n", encoding="utf-8")
    from_file = dlproj("predict-langid", "--file", "words.txt").out
    assert [line.split("\t")[:2] for line in from_file.splitlines()] == [
        ["through", "English"], ["mañana", "Spanish"],
    ]  # fmt: skip
    piped = subprocess.run(
        [sys.executable, "-m", "dlproj", "predict-langid", "-"],
        input=(tmp_path / "words.txt").read_text(encoding="utf-8"),
        capture_output=True, text=True, check=True, env=os.environ,
    )  # fmt: skip
    assert piped.stdout == from_file


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xff\xfe", "not UTF-8 text"), (b"a" * 20_000, "line of over")]
)
def test_word_files_that_cannot_be_read(
    content: bytes, message: str, dlproj: Dlproj, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_bytes(content)
    done = dlproj("predict-langid", "--file", "words.txt")
    assert done.code == 1
    assert message in done.err


@pytest.mark.parametrize("content", [b"", b"hello", b'\x08\0\0\0\0\0\0\0{"a": 1}', b"\xff" * 64])
def test_models_that_are_none(content: bytes, dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    (tmp_path / "m.pt").write_bytes(content)
    for name in ("m.safetensors", "m.pt"):
        done = dlproj("predict-langid", "hello", "--model", name)
        assert done.code == 1
        assert done.err.startswith(f"dlproj: {name}: ") or "--model" in done.err
        assert done.err.count("\n") == 1


def test_a_pickle_is_never_run(dlproj: Dlproj, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pt")
    done = dlproj("attack", "--model", "trap.pt")
    assert done.code == 1
    assert "not the weights of the course's LeNet" in done.err
    assert not (tmp_path / "sprung").exists()


def test_a_model_of_another_task_is_refused(dlproj: Dlproj) -> None:
    done = dlproj("train-regression", "--epochs", 1, "--no-plots", "--out", "curve")
    assert done.code == 0
    done = dlproj("predict-langid", "hello", "--model", "curve")
    assert done.code == 1
    assert "curve: holds a CurveMLP, which reads points; one that reads words" in done.err

"""Pictures as people make them: what is found on them, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dlproj.data.digits import load_digits
from dlproj.data.pictures import NoDigitError, find_digits, flatten, main_digit, open_picture
from dlproj.errors import DlprojError
from dlproj.tools.digit_reader import DigitReader
from dlproj.training.device import choose_machine

Grey = NDArray[np.float64]
SIDE = 260
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE] / SIDE


@pytest.fixture(scope="module")
def reader() -> DigitReader:
    return DigitReader(None, choose_machine("cpu", "fp32"))


def ink(index: int, side: int = 190) -> Grey:
    """A test image of MNIST, large, in the middle of a sheet: 1 where its pen was."""
    image = Image.fromarray(load_digits().test.pictures[index].numpy())
    large = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC)) / 255
    margin = SIDE - side
    return np.pad(np.clip(2 * large - 0.5, 0, 1), (margin // 2, margin - margin // 2))


def sheet(drawn: Grey, light: Grey | float = 1.0, *, paper: Grey | float = 0.9) -> Grey:
    """Dark ink on paper in some light, with a little noise."""
    noise = np.random.default_rng(0).normal(0, 0.01, drawn.shape)
    return np.clip((paper * (1 - drawn) + 0.15 * drawn) * light + noise, 0, 1)


def ruled(drawn: Grey, darkness: float, *, grid: bool) -> Grey:
    paper = np.full_like(drawn, 0.9)
    paper[10::30] *= 1 - darkness
    if grid:
        paper[:, 17::30] *= 1 - darkness
    return sheet(drawn, paper=paper)


def dusty(drawn: Grey) -> Grey:
    specks = np.zeros_like(drawn)
    places = np.random.default_rng(1).integers(0, SIDE - 3, (30, 2))
    for row, column in places:
        specks[row : row + 3, column : column + 3] = 1
    return sheet(np.maximum(drawn, specks))


def bordered(drawn: Grey, *, inset: int, thick: int) -> Grey:
    made = sheet(drawn)
    frame = np.zeros_like(drawn, bool)
    frame[inset : SIDE - inset, inset : SIDE - inset] = True
    inner = inset + thick
    frame[inner : SIDE - inner, inner : SIDE - inner] = False
    return np.where(frame, 0.08, made)


def on_a_table(drawn: Grey) -> Grey:
    """The paper lies whole on a dark table."""
    return np.pad(sheet(drawn), 70, constant_values=0.15)


PHOTOS: dict[str, Callable[[Grey], Grey]] = {
    "plain": sheet,
    "chalkboard": lambda drawn: 1 - sheet(drawn),
    "pencil in poor light": lambda drawn: sheet(0.25 * drawn, 0.6),
    "hard shadow": lambda drawn: sheet(drawn, np.where(ROWS + COLUMNS < 0.9, 0.55, 1)),
    "soft shadow": lambda drawn: sheet(drawn, 1 - 0.5 / (1 + np.exp((COLUMNS - 0.4) / 0.03))),
    "falling light": lambda drawn: sheet(drawn, 0.3 + 0.7 * (ROWS + COLUMNS) / 2),
    "lined paper": lambda drawn: ruled(drawn, 0.6, grid=False),
    "squared paper": lambda drawn: ruled(drawn, 0.7, grid=True),
    "dust": dusty,
    "dark border": lambda drawn: bordered(drawn, inset=0, thick=9),
    "inset line": lambda drawn: bordered(drawn, inset=12, thick=3),
    "table edge": lambda drawn: np.where(ROWS < 0.08 + 0.03 * COLUMNS, 0.2, sheet(drawn)),
    "on a dark table": on_a_table,
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_digits_on_photos_are_read(kind: str, reader: DigitReader) -> None:
    test = load_digits().test
    chosen = [0, 2, 3, 4]
    read = []
    for index in chosen:
        photo = Image.fromarray((255 * PHOTOS[kind](ink(index))).astype(np.uint8))
        reading = reader.read_picture(flatten(photo), "x", several=False, remark=lambda _: None)
        read += reading.predictions
    assert [int(one.label) for one in read] == test.labels[chosen].tolist()
    rows, columns = np.nonzero(ink(0) > 0.5)
    offset = 70 if kind == "on a dark table" else 0
    box = [side + offset for side in (columns.min(), rows.min(), columns.max(), rows.max())]
    assert np.abs(np.array(read[0].box) - box).max() <= 5


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def grey_seven() -> Image.Image:
    return Image.fromarray((255 * sheet(ink(0))).astype(np.uint8))


def transparent(shade: int) -> Image.Image:
    alpha = Image.fromarray((255 * ink(0)).astype(np.uint8))
    flat = Image.new("L", alpha.size, shade)
    return Image.merge("RGBA", (flat, flat, flat, alpha))


def transparent_shade() -> Image.Image:
    """A palette of black twice, the first of which is not seen."""
    picture = Image.new("P", (SIDE, SIDE))
    picture.putpalette([0] * 6)
    picture.frombytes((ink(0) > 0.5).astype(np.uint8).tobytes())
    picture.info["transparency"] = 0
    return picture


def sixteen_bits(highest: int) -> Image.Image:
    return Image.fromarray((highest * sheet(ink(0))).astype(np.uint16))


FILES: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "CMYK": (lambda: grey_seven().convert("CMYK"), ".tif"),
    "palette": (lambda: grey_seven().convert("P"), ".gif"),
    "one bit": (lambda: grey_seven().convert("1"), ".png"),
    "JPEG": (grey_seven, ".jpg"),
    "LAB": (
        lambda: Image.merge("LAB", [grey_seven(), *[Image.new("L", (SIDE, SIDE), 128)] * 2]),
        ".tif",
    ),
    "black on transparent": (lambda: transparent(0), ".png"),
    "white on transparent": (lambda: transparent(255), ".png"),
    "a shade of a palette transparent": (transparent_shade, ".png"),
    "16-bit PNG": (lambda: sixteen_bits(65535), ".png"),
    "12 bits in 16": (lambda: sixteen_bits(4095), ".tif"),
    "floating point": (lambda: Image.fromarray(sheet(ink(0)).astype(np.float32)), ".tif"),
    "heights": (lambda: Image.fromarray((-400 * ink(0)).astype(np.float32)), ".tif"),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_of_any_kind_show_the_same(kind: str, tmp_path: Path) -> None:
    make, suffix = FILES[kind]
    path = saved(make(), tmp_path / f"seven{suffix}")
    expected = main_digit(find_digits(flatten(grey_seven())))
    found = find_digits(open_picture(path))
    assert len(found) == 1
    both = torch.stack([found[0].image.float().flatten(), expected.image.float().flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.97
    assert np.abs(np.array(found[0].box) - expected.box).max() <= 3


def test_a_phone_held_sideways(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise when shown
    path = saved(grey_seven().rotate(90), tmp_path / "seven.jpg", exif=exif)
    assert find_digits(open_picture(path))[0].box == pytest.approx(
        find_digits(flatten(grey_seven()))[0].box, abs=3
    )


def test_the_box_is_in_pixels_of_the_file(tmp_path: Path) -> None:
    large = grey_seven().resize((4 * SIDE, 4 * SIDE))
    box = find_digits(open_picture(saved(large, tmp_path / "large.png")))[0].box
    assert np.array(box) / 4 == pytest.approx(find_digits(flatten(grey_seven()))[0].box, abs=3)


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff"])
def test_of_several_frames_the_first_is_read_with_a_remark(kind: str, tmp_path: Path) -> None:
    frames = [grey_seven(), Image.new("L", (SIDE, SIDE), 255)]
    path = saved(frames[0], tmp_path / f"moving.{kind}", save_all=True, append_images=frames[1:])
    picture = open_picture(path)
    assert picture.remarks == ("has 2 pictures, of which the first is read",)
    assert find_digits(picture)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is of this size, and ends where its pixels would begin."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return len(content).to_bytes(4) + body + crc32(body).to_bytes(4)

    size = width.to_bytes(4) + height.to_bytes(4)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + bytes([1, 0, 0, 0, 0])) + chunk(b"IDAT", b"")
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png_of(20_000, 20_000), "has more than 50,000,000 pixels"),
        (png_of(7_100, 7_100), "has more than 50,000,000 pixels"),
        (png_of(57, 877_193), "has more than 50,000,000 pixels"),  # by one
        (png_of(10_000, 5_000), "cannot be read as a picture"),  # so many, but none is there
        (png_of(100_000, 100), "more than 200 times as long"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "save it as JPEG or PNG"),
        (b"\0\0\0\x18ftypisom" + bytes(20), "save one picture of it"),
        (b"%PDF-1.7", "it is a PDF"),
        (b'<?xml version="1.0"?><svg></svg>', "an SVG drawing; save it as PNG"),
        (b"\n<!DOCTYPE html><html><svg>", "it is a web page"),
        (b"PK\x03\x04\x14", "zip archive; unpack it"),
        (png_of(50, 50)[:30], "damaged or cut off"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "damaged or cut off"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "damaged or cut off"),
        (b"\0\0\0\x20ftypavif", "damaged or cut off"),
        (b"RIFF\0\0\0\0AVI LIST", "save one picture of it"),
        (b"RIFF\0\0\0\0WAVEfmt ", "cannot be read as a picture$"),
        (b"II*\0\x10\0\0\0CR", "a camera's raw file; save it as JPEG or PNG"),
        (b"hello", "cannot be read as a picture$"),
        (b"", "it is empty"),
    ],
)
def test_files_that_cannot_be_read(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(DlprojError, match=message) as failure:
        open_picture(tmp_path / "x.png")
    assert str(failure.value).startswith(str(tmp_path / "x.png"))


def test_pixels_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DlprojError, match="not finite numbers"):
        flatten(Image.fromarray(np.full((50, 50), np.nan, np.float32)))


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I;16N"])
def test_sixteen_bits_are_read_in_either_order_of_bytes(mode: str) -> None:
    values = (65535 * sheet(ink(0))).astype(">u2" if mode == "I;16B" else np.dtype("=u2"))
    picture = flatten(Image.frombytes(mode, (SIDE, SIDE), values.tobytes()))
    np.testing.assert_allclose(picture.channels[0], values / 65535, rtol=0, atol=1e-5)


def test_bytes_are_parts_of_white() -> None:
    np.testing.assert_allclose(
        flatten(grey_seven()).channels[0], np.asarray(grey_seven()) / 255, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(("shade", "paper"), [(0, 1), (100, 1), (150, 0), (255, 0)])
def test_what_is_transparent_becomes_paper_of_the_other_shade(shade: int, paper: int) -> None:
    assert flatten(transparent(shade)).channels[0][0, 0] == paper


def blot() -> Grey:
    angle = np.arctan2(ROWS - 0.5, COLUMNS - 0.5)
    return 1.0 * (np.hypot(ROWS - 0.5, COLUMNS - 0.5) < 0.2 + 0.03 * np.sin(3 * angle))


def word() -> Grey:
    from PIL import ImageFont

    picture = Image.new("L", (SIDE, SIDE))
    font = ImageFont.load_default(90)
    ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), "WH", 255, font, anchor="mm")
    return np.asarray(picture) / 255


@pytest.mark.parametrize(
    "grey",
    [
        sheet(np.zeros((SIDE, SIDE)), 0.5 + 0.5 * ROWS),
        sheet(np.zeros((SIDE, SIDE)), 1 - 0.5 / (1 + np.exp((COLUMNS - 0.4) / 0.03))),
        np.full((SIDE, SIDE), 0.5),
        sheet(blot()),
        sheet(1.0 * (abs(ROWS - 0.5) < 0.015) * (abs(COLUMNS - 0.5) < 0.3)),
        ruled(np.zeros((SIDE, SIDE)), 0.6, grid=True),
        sheet(word()),
    ],
    ids=["light", "shadow", "nothing", "blot", "lying line", "squared paper", "word"],
)
def test_what_is_no_digit_is_not_read(grey: Grey, reader: DigitReader) -> None:
    picture = flatten(Image.fromarray((255 * grey).astype(np.uint8)))
    with pytest.raises(NoDigitError, match=r"no digit found|nothing is drawn"):
        reader.read_picture(picture, "x.png", several=False, remark=lambda _: None)

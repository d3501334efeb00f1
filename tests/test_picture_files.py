"""What of a picture file is looked at: its size, its scale of brightness, paper and colours."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dlproj.data.pictures import flatten, open_picture
from dlproj.errors import DlprojError


def seen(values: NDArray[Any]) -> NDArray[np.float32]:
    """The brightness that is made of an array."""
    return flatten(Image.fromarray(values)).channels[0]


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_has_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(DlprojError, match=r"^has no pixels$"):
        flatten(Image.new("L", size))


@pytest.mark.parametrize("size", [(200, 1), (1, 200), (400, 2)])
def test_a_picture_is_at_most_two_hundred_times_as_long_as_it_is_wide(
    size: tuple[int, int],
) -> None:
    assert flatten(Image.new("L", size)).shown.size == size
    longer = [side + (side == max(size)) for side in size]
    with pytest.raises(DlprojError, match="is more than 200 times as long as it is wide"):
        flatten(Image.new("L", longer))


@pytest.mark.parametrize(
    ("size", "shown", "scale"),
    [
        ((500, 300), (500, 300), 1),
        ((800, 300), (800, 300), 1),
        ((300, 801), (300, 800), 1),
        ((1600, 1200), (800, 600), 2),
        ((1000, 4000), (200, 800), 5),
    ],
)
def test_large_pictures_are_reduced_to_eight_hundred_pixels(
    size: tuple[int, int], shown: tuple[int, int], scale: float
) -> None:
    picture = flatten(Image.new("L", size))
    assert picture.shown.size == picture.channels[0].shape[::-1] == shown
    assert picture.scale == pytest.approx(scale)


def test_a_reduced_pixel_is_the_mean_of_those_it_stands_for() -> None:
    values = np.random.default_rng(0).integers(0, 256, (20, 1600)).astype(np.uint8)
    means = values.reshape(10, 2, 800, 2).mean((1, 3)) / 255
    np.testing.assert_allclose(seen(values), means, rtol=0, atol=1e-6)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bits_have_the_least_scale_that_holds_them(bits: int) -> None:
    white = 2**bits - 1
    values = np.array([[0, white // 2, white]], np.uint16)
    np.testing.assert_allclose(seen(values), values / white, rtol=0, atol=1e-6)
    if bits < 16:
        beyond, next_white = values + 1, 2 ** (bits + 2) - 1
        np.testing.assert_allclose(seen(beyond), beyond / next_white, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.25, 1.0], [0, 0.25, 1]),  # from 0 to 1 as it is
        ([0.25, 0.5, 0.75], [0.25, 0.5, 0.75]),
        ([0.0, 51.0, 255.0], [0, 0.2, 1]),  # of a scale
        ([0.0, 0.51, 1.02], [0, 0.002, 0.004]),
        ([-0.5, 0.0, 0.5], [0, 0.5, 1]),  # heights, from the lowest to the highest
        ([-100.0, 200.0, 300.0], [0, 0.75, 1]),
        ([1000.0, 34_000.0, 67_000.0], [0, 0.5, 1]),
        ([-3.0, -3.0, -3.0], [0, 0, 0]),
    ],
)
def test_floating_point_is_brightness_or_else_heights(
    values: list[float], expected: list[float]
) -> None:
    np.testing.assert_allclose(seen(np.array([values], np.float32))[0], expected, atol=1e-6)


def test_whole_numbers_up_to_one_are_nearly_black() -> None:
    """For they are parts of 255."""
    np.testing.assert_allclose(seen(np.array([[0, 1]], np.int32)), [[0, 1 / 255]], atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_pixel_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(DlprojError, match=r"^has pixels that are not finite numbers$"):
        seen(np.array([[0.5, value]], np.float32))


def laid(opaque: int, shade: int, mode: str = "RGBA") -> tuple[float, float]:
    """The brightness of what was transparent and opaque, of a hundred pixels of that shade."""
    values = np.full((10, 10, 4), shade, np.uint8)
    values[..., 3] = 255 * (np.arange(100) < opaque).reshape(10, 10)
    channel = flatten(Image.fromarray(values).convert(mode)).channels[0]
    return float(channel[-1, -1]), float(channel[0, 0])


@pytest.mark.parametrize(
    ("opaque", "shade", "paper"),
    [
        (20, 127, 1),
        (20, 128, 0),
        (59, 200, 0),
        (60, 200, 1),  # it has paper of its own
        (59, 100, 1),
        (60, 100, 1),
    ],
)
def test_light_ink_alone_is_laid_on_black_and_all_else_on_white(
    opaque: int, shade: int, paper: int
) -> None:
    """Light is above 127 of 255; less than 60 % of the picture is ink."""
    assert laid(opaque, shade) == pytest.approx((paper, shade / 255))


def test_a_picture_that_is_all_transparent_is_white_paper() -> None:
    assert laid(0, 200) == (1, 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa"])
def test_transparency_of_any_kind_is_paper(mode: str) -> None:
    paper, ink = laid(50, 0, mode)
    assert (paper, ink) == (1, 0)


@pytest.mark.parametrize(("mode", "shade"), [("L", 200), ("RGB", (200, 200, 200))])
def test_a_shade_that_is_transparent_is_paper(mode: str, shade: Any) -> None:
    picture = Image.new(mode, (10, 10), shade)
    picture.paste(0 if mode == "L" else (0, 0, 0), (0, 0, 3, 3))
    picture.info["transparency"] = shade
    channel = flatten(picture).channels[0]
    assert (channel[0, 0], channel[9, 9]) == (0, 1)


@pytest.mark.parametrize(
    ("pixels", "difference", "coloured"),
    [(6, 21, True), (5, 21, False), (6, 20, False), (10_000, 21, True)],
)
def test_colours_differ_by_more_than_twenty_in_more_than_one_pixel_of_two_thousand(
    pixels: int, difference: int, coloured: bool
) -> None:
    values = np.full((100, 100, 3), 200, np.uint8)
    values.reshape(-1, 3)[:pixels, 1] += np.uint8(difference)
    picture = flatten(Image.fromarray(values))
    assert len(picture.channels) == (4 if coloured else 1)
    for colour, channel in enumerate(picture.channels[1:]):
        np.testing.assert_allclose(channel, values[..., colour] / 255, rtol=0, atol=1e-6)
    if coloured:
        np.testing.assert_array_equal(np.asarray(picture.shown), values)


@pytest.mark.parametrize(
    ("size", "coloured"), [((400, 60), False), ((60, 400), False), ((398, 60), True)]
)
def test_colours_that_cancel_out_in_two_hundred_pixels_are_none(
    size: tuple[int, int], coloured: bool
) -> None:
    """Red and cyan columns in turn, as a camera's noise."""
    width, height = size
    values = np.zeros((height, width, 3), np.uint8)
    values[:, ::2, 0] = values[:, 1::2, 1:] = 200
    assert len(flatten(Image.fromarray(values)).channels) == (4 if coloured else 1)


def test_what_is_shown_is_the_brightness_in_bytes() -> None:
    values = np.arange(200, dtype=np.uint8).reshape(10, 20)
    picture = flatten(Image.fromarray(values))
    np.testing.assert_array_equal(np.asarray(picture.shown), values)
    assert (picture.scale, picture.remarks) == (1, ())


@pytest.mark.parametrize("ending", ["png", "gif", "tif", "webp"])
def test_a_single_picture_has_no_remark(ending: str, tmp_path: Path) -> None:
    Image.new("L", (30, 30), 255).save(tmp_path / f"one.{ending}")
    assert open_picture(tmp_path / f"one.{ending}").remarks == ()


def test_the_previews_of_a_phone_are_no_pictures(tmp_path: Path) -> None:
    """Behind the picture of an MPO."""
    picture = Image.new("L", (30, 30), 255)
    picture.save(tmp_path / "photo.mpo", save_all=True, append_images=[picture])
    with Image.open(tmp_path / "photo.mpo") as photo:
        assert (photo.format, getattr(photo, "n_frames", 1)) == ("MPO", 2)
    assert open_picture(tmp_path / "photo.mpo").remarks == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg".rjust(1000), ": it is an SVG drawing; save it as PNG"),
        (b"<svg".rjust(1001), ""),
        (b"%PDF-1.7", ": it is a PDF; save the page as JPEG or PNG"),
        *[
            (
                b"\0\0\0\x18ftyp" + brand + bytes(9),
                ": it is HEIC, as iPhones make them; save it as JPEG or PNG",
            )
            for brand in (b"heic", b"heix", b"mif1", b"msf1")
        ],
        (b"\0\0\0\x18ftypmp42", ": it is a film; save one picture of it as JPEG or PNG"),
        (b" %PDF-1.7", ""),
        (b"hello", ""),
    ],
)
def test_what_a_file_is_shows_in_its_first_thousand_bytes(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(DlprojError) as failure:
        open_picture(path)
    assert str(failure.value) == f"{path}: cannot be read as a picture{message}"


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in {
        tmp_path: "a folder, not a picture; name the files in it",
        tmp_path / "none.png": "no such file",
        Path("https://example.org/7.png"): "no such file; download what is on the web first",
        Path("http://example.org/7.png"): "no such file; download what is on the web first",
        tmp_path / "file" / "x.png": "cannot be read as a picture",
    }.items():
        with pytest.raises(DlprojError) as failure:
            open_picture(path)
        name = re.sub("(https?):/", r"\1://", str(path))  # as it was typed
        assert str(failure.value) == f"{name}: {message}"

"""Arrays of images to MNIST's form: units, colours, sizes, and what is said of them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dlproj.data.images import pixels
from dlproj.data.images.pixels import to_pictures
from dlproj.errors import DlprojError

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (6, 28, 28)).astype(np.uint8)
BYTES[:, [0, -1]] = BYTES[:, :, [0, -1]] = 0  # a dark ground along the border


def made(array: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    (pictures,), remarks = to_pictures([array], "own.npz")
    assert pictures.shape == (len(array), 28, 28)
    return pictures.numpy(), remarks


@pytest.mark.parametrize(
    "array",
    [BYTES, BYTES.reshape(6, 784), BYTES[..., None], BYTES[:, None], BYTES.astype(np.int64)],
    ids=["as they are", "flat", "a channel behind", "a channel first", "integers"],
)
def test_bytes_stay_as_they_are(array: NDArray[Any]) -> None:
    pictures, remarks = made(array)
    np.testing.assert_array_equal(pictures, BYTES)
    assert remarks == []


@pytest.mark.parametrize(
    ("array", "expected", "remark"),
    [
        (BYTES / 255, BYTES, "pixels from 0 to 1 are taken as parts of white"),
        (BYTES * 257.0, BYTES, "pixels from 0 to 65535 are taken as 16 bits each"),
        ((BYTES * 257.0 + 1) / 2, BYTES / 2, "pixels from 0 to 32768 are taken as 16 bits each"),
        (BYTES * 16.0, BYTES, "pixels from 0 to 4080 are scaled to 0 to 255"),
        (BYTES * (256 / 255), BYTES, "pixels from 0 to 256 are scaled to 0 to 255"),
        (BYTES // 2 % 101, BYTES // 2 % 101 * 2.55, "pixels from 0 to 100 are scaled to 0 to 255"),
        (BYTES // 86, BYTES // 86 * 127.5, "pixels from 0 to 2 are scaled to 0 to 255"),
        (BYTES > 99, 255 * (BYTES > 99), "pixels from 0 to 1 are taken as parts of white"),
    ],
    ids=[
        "parts",
        "16 bits",
        "half of 16 bits",
        "12 bits",
        "256 steps",
        "other units",
        "three shades",
        "truths",
    ],
)
def test_other_units_become_bytes(array: NDArray[Any], expected: Any, remark: str) -> None:
    pictures, remarks = made(array)
    np.testing.assert_allclose(pictures, expected, rtol=0, atol=0.51)
    assert remarks == [remark]


@pytest.mark.parametrize("most", [1, 4, 5, 6])
def test_images_of_which_some_are_looked_at_at_a_time_are_those_of_all_at_once(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "CHUNK", most)
    np.testing.assert_array_equal(made(BYTES / 255)[0], BYTES)
    np.testing.assert_array_equal(made(BYTES[..., None].repeat(3, 3))[0], BYTES)


def test_three_rows_with_channels_behind_are_rows() -> None:
    rows = BYTES[:, :3]
    np.testing.assert_array_equal(made(rows[..., None])[0], made(rows)[0])
    np.testing.assert_array_equal(made(rows[..., None].repeat(3, 3))[0], made(rows)[0])


def test_a_highest_byte_of_128_is_one_of_bytes_and_127_is_not() -> None:
    for highest, kept in ((128, True), (127, False)):
        dim = np.minimum(BYTES, highest)
        assert (made(dim)[1] == []) == kept


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_are_weighed_as_in_television(channels: int, first: bool) -> None:
    """ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue; a fourth channel is not looked at."""
    colours = RANDOM.integers(0, 256, (3, 28, 28, channels)).astype(np.uint8)
    colours[:, [0, -1]] = colours[:, :, [0, -1]] = 0
    red, green, blue = (colours[..., n].astype(float) for n in range(3))
    pictures, remarks = made(np.moveaxis(colours, 3, 1) if first else colours)
    expected = 0.299 * red + 0.587 * green + 0.114 * blue
    np.testing.assert_allclose(pictures, expected, rtol=0, atol=0.51)
    assert remarks == ["colour images are taken as shades of grey"]


@pytest.mark.parametrize(("border", "turned"), [(170, False), (171, True)])
@pytest.mark.parametrize("side", ["top", "left"])
def test_ink_is_dark_where_most_of_the_border_is_light(
    border: int, turned: bool, side: str
) -> None:
    """Three sides are enough for a median, on nine of ten images."""
    array = np.full((10, 28, 28), 40, np.uint8)
    array[:, [0, -1]] = array[:, :, [0, -1]] = border
    array[:, 10, 10] = 200
    if side == "top":
        array[:, 0, 1:-1] = 0
    else:
        array[:, 1:-1, 0] = 0
    array[0] = 0  # one of ten
    pictures, remarks = made(array)
    np.testing.assert_array_equal(pictures, 255 - array if turned else array)
    said = "dark ink on a light ground: turned to light on dark, as MNIST's images are"
    assert remarks == ([said] if turned else [])
    array[1] = 0  # two of ten
    np.testing.assert_array_equal(made(array)[0], array)


@pytest.mark.parametrize("axis", [1, 2])
def test_two_opposite_sides_are_the_greater_part_of_the_border(axis: int) -> None:
    """With their corners they are 60 of 112 pixels."""
    array = np.full((10, 28, 28), 40, np.uint8)
    array.swapaxes(1, axis)[:, [0, -1]] = 200
    np.testing.assert_array_equal(made(array)[0], 255 - array)


def test_larger_images_are_averaged_and_the_shorter_side_is_filled_with_black() -> None:
    large = np.zeros((2, 84, 60), np.uint8)
    large[:, 2:-2, 2:-2] = RANDOM.integers(0, 256, (2, 80, 56))
    pictures, remarks = made(large)
    means = large.reshape(2, 28, 3, 20, 3).mean((2, 4))
    np.testing.assert_allclose(pictures[:, :, 4:24], means, rtol=0, atol=0.51)
    assert not pictures[:, :, :4].any()
    assert not pictures[:, :, 24:].any()
    assert remarks == ["images of 84x60 pixels are scaled to 28x28"]


def test_smaller_images_are_drawn_out() -> None:
    """Twice as large, each pixel is three quarters of its own and a quarter of the next."""
    small = np.zeros((1, 14, 14), np.uint8)
    small[0, 6:8, 4:10] = 200
    pictures, _ = made(small)
    assert pictures[0, 10:18, 14].tolist() == [0, 50, 150, 200, 200, 150, 50, 0]


WRONG: dict[str, tuple[Any, str]] = {
    "texts": (np.array([["a"]]), "images must be numbers, not <U1"),
    "no square": (np.zeros((2, 15)), "15 pixels an image are no square"),
    "five channels": (
        np.zeros((2, 8, 8, 5)),
        "images (2, 8, 8, 5) must be (n, height, width), with 1 or 3 channels behind or none",
    ),
    "a line": (
        np.zeros(5),
        "images (5,) must be (n, height, width), with 1 or 3 channels behind or none",
    ),
    "no pixels": (
        np.zeros((2, 0, 8)),
        "images (2, 0, 8) must be (n, height, width), with 1 or 3 channels behind or none",
    ),
    "a table of something else": (
        np.ones((2, 9)),
        "images of 3x3 pixels are too small; expected are 4x4 or more",
    ),
    "infinite": (np.full((1, 4, 4), np.inf), "pixels must be finite numbers"),
    "normalised": (
        np.linspace(-0.5, 2, 16).reshape(1, 4, 4),
        "pixels from -0.5 to 2; bring them to 0 to 255",
    ),
    "of 32 bits": (np.full((1, 4, 4), 65536), "pixels from 0 to 65536; bring them to 0 to 255"),
    "black": (np.zeros((1, 4, 4)), "all images are black"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_images_is_refused_in_these_words(kind: str) -> None:
    array, message = WRONG[kind]
    with pytest.raises(DlprojError) as refused:
        to_pictures([array], "own.npz")
    assert str(refused.value) == f"own.npz: {message}"


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (BYTES, BYTES / 255, "are from 0 to 255, of test images from 0 to 1; bring both to"),
        (BYTES / 255, BYTES, "are from 0 to 1, of test images from 0 to 255; bring both to"),
        (BYTES, BYTES > 99, "are from 0 to 255, of test images from 0 to 1; bring both to"),
        (BYTES // 160, BYTES // 80, "are from 0 to 1, of test images from 0 to 3; bring both to"),
        (BYTES, BYTES * 16.0, "are from 0 to 255, of test images from 0 to 4080; bring both to"),
        (BYTES, 255 - BYTES, "have a dark ground, test images a light one; invert the pixels"),
        (255 - BYTES, BYTES, "have a light ground, test images a dark one; invert the pixels"),
        (BYTES[:5], 255 - BYTES, "have a dark ground, test images a light one; invert the pixels"),
    ],
)
def test_test_images_of_another_scale_or_ground_are_refused(
    train: NDArray[Any], test: NDArray[Any], message: str
) -> None:
    with pytest.raises(DlprojError, match=rf"^own.npz: .*training images {message}"):
        to_pictures([train, test], "own.npz")


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (BYTES > 99, BYTES / 255),
        (BYTES // 255, BYTES // 250),
        (BYTES, np.minimum(BYTES, 32)),
        (BYTES / 255, BYTES / 255 * 1.5),
        (BYTES, 0 * BYTES),
        (255 - BYTES, np.full_like(BYTES, 90)),
        (BYTES, 255 - BYTES[:4]),
    ],
    ids=["binary", "both binary", "dim", "a little beyond", "black", "neither", "few"],
)
def test_parts_that_may_be_of_one_kind_are_taken(train: NDArray[Any], test: NDArray[Any]) -> None:
    assert len(to_pictures([train, test], "own.npz")[0]) == 2

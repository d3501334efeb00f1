"""Which digits are found on drawn pictures, in which order, and how sure that is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from dlproj.data.digits import load_digits
from dlproj.data.pictures import (
    Candidate,
    Digit,
    NoDigitError,
    Picture,
    candidates,
    find_digits,
    flatten,
    main_digit,
    read_picture,
)
from dlproj.data.pictures.prepare import mnist_image

Grey = NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right and bottom


def sheet(*bars: Box, side: int = 400, width: int | None = None, ink: float = 0.1) -> Grey:
    """White paper with bars, each of which is a 1."""
    grey = np.ones((side, width or side), np.float32)
    for left, top, right, bottom in bars:
        grey[top:bottom, left:right] = ink
    return grey


def picture(grey: Grey, scale: float = 1) -> Picture:
    return Picture(Image.fromarray((255 * grey).astype(np.uint8)), [grey], scale)


def boxes(grey: Grey, scale: float = 1) -> list[Box]:
    return [digit.box for digit in find_digits(picture(grey, scale))]


def boxes_of(candidate: Candidate) -> list[Box]:
    return [digit.box for digit in candidate.digits]


def test_bars_are_found_to_the_pixel() -> None:
    bars: list[Box] = [(50, 60, 75, 150), (150, 61, 170, 145), (250, 70, 280, 160)]
    assert boxes(sheet(*bars)) == bars
    assert boxes(1.1 - sheet(*bars)) == bars  # light on dark


def test_faint_chalk_is_found_as_faint_pencil_is() -> None:
    """A tenth brighter than what it is on."""
    bar = (50, 60, 75, 150)
    assert boxes(0.5 + 0.05 * (sheet(bar) < 1)) == [bar]


@pytest.mark.parametrize(
    ("top", "in_line"), [(60, True), (99, True), (100, True), (101, False), (160, False)]
)
def test_a_line_goes_down_to_the_middle_of_its_first_digit(top: int, in_line: bool) -> None:
    """From row 50 to 150; the other one begins at `top`, left of it."""
    first, other = (200, 50, 225, 150), (100, top, 125, top + 100)
    third, last = (300, 55, 325, 155), (50, 290, 75, 390)
    expected = [other, first, third] if in_line else [first, third, other]
    assert boxes(sheet(first, other, third, last)) == [*expected, last]


@pytest.mark.parametrize(("height", "width"), [(100, 100), (100, 160), (160, 100), (400, 300)])
@pytest.mark.parametrize("scale", [1, 2.5])
def test_boxes_are_in_pixels_of_the_file(height: int, width: int, scale: float) -> None:
    """Also where a small picture is enlarged."""
    bar = (40, 30, 50, 70)
    (found,) = boxes(sheet(bar, side=height, width=width), scale)
    assert found == pytest.approx([scale * side for side in bar], abs=scale)


def test_a_digit_at_the_end_of_a_strip_is_as_large_as_alone() -> None:
    """Pictures are enlarged by their shorter side."""
    seven = load_digits().test.pictures[0].numpy()
    (alone,) = find_digits(flatten(Image.fromarray(seven)))
    (found,) = find_digits(flatten(Image.fromarray(np.pad(seven, ((0, 0), (0, 172))))))
    assert found.box == alone.box
    assert abs(found.image.float() - alone.image.float()).mean() < 2


def test_the_size_of_a_digit_is_the_longer_side_of_its_box() -> None:
    image = torch.zeros(28, 28, dtype=torch.uint8)
    tall, wide = Digit(image, (10, 20, 40, 70)), Digit(image, (10, 120, 61, 150))
    assert (tall.size, wide.size) == (50, 51)
    assert main_digit([tall, wide]) is main_digit([wide, tall]) is wide


def weights(found: list[Candidate]) -> list[float]:
    return [candidate.weight for candidate in found]


def test_a_digit_weighs_its_size_and_a_quarter_of_that_if_it_may_be_a_sheet_on_a_table() -> None:
    found = candidates(picture(sheet((50, 100, 75, 200))))
    assert weights(found) == pytest.approx([100, 25])
    found = candidates(picture(sheet((50, 100, 75, 200), (150, 110, 175, 190))))
    assert weights(found) == pytest.approx([180, 45])


def test_a_digit_that_a_picture_is_cut_to_weighs_four_fifths_if_its_paper_is_even() -> None:
    """A bar as wide as this is none in the narrower window."""
    box = (100, 0, 220, 400)
    found = candidates(picture(sheet(box)))
    assert weights(found) == pytest.approx([0.25 * 400, 0.8 * 400])
    assert [boxes_of(candidate) for candidate in found] == [[pytest.approx(box, abs=1)]] * 2


@pytest.mark.parametrize(("height", "taken"), [(70, "wide"), (80, "thin")])
def test_what_is_too_wide_for_a_stroke_counts_a_quarter(height: int, taken: str) -> None:
    """A quarter of 300 rows is 75: more than those of one thin bar, and less than another's."""
    bars = {"wide": (250, 50, 350, 350), "thin": (80, 100, 100, 100 + height)}
    assert boxes(sheet(*bars.values())) == [pytest.approx(bars[taken], abs=1)]


@pytest.mark.parametrize(("width", "readings"), [(70, 2), (80, 1), (135, 1), (155, 0)])
def test_a_stroke_is_narrower_than_a_window(width: int, readings: int) -> None:
    """Of 0.18 and 0.35 of the shorter side: 72 and 140 pixels, but for soft edges."""
    shown = picture(sheet((100, 30, 100 + width, 370)))
    if readings:
        assert len(candidates(shown)) == readings
    else:
        with pytest.raises(NoDigitError):
            candidates(shown)


def test_what_is_said_of_a_picture_without_digits() -> None:
    with pytest.raises(NoDigitError, match=r"^nothing is drawn on it$"):
        find_digits(picture(sheet()))
    with pytest.raises(NoDigitError, match=r"^no digit found$"):
        find_digits(picture(sheet((50, 200, 350, 220))))  # a dash


def test_ink_as_bright_as_its_paper_is_found_by_its_colour() -> None:
    """Red of 200 and green of 102 are as bright: 0.299 and 0.587 of it."""
    drawn = sheet((50, 100, 75, 200)) < 0.5
    values = np.zeros((400, 400, 3), np.uint8)
    values[drawn, 0], values[~drawn, 1] = 200, 102
    shown = flatten(Image.fromarray(values))
    assert np.ptp(shown.channels[0]) < 0.01
    (found,) = find_digits(shown)
    assert found.box == (50, 100, 75, 200)


def image_of(grey: Grey) -> NDArray[np.int64]:
    (found,) = find_digits(picture(grey))
    return found.image.numpy().astype(int)


def alike(image: NDArray[np.int64], ink: Grey) -> bool:
    """Nearly the same as what MNIST's image of that ink is, but for soft edges."""
    return bool(abs(image - mnist_image(ink).astype(int)).mean() < 2)


def test_a_blot_within_a_digit_is_as_dark_as_the_digit() -> None:
    """Of a 9 whose loop is full of ink: a window of 72 pixels nearly fits into it."""
    grey = sheet((210, 100, 245, 350))
    rows, columns = np.mgrid[:400, :400]
    grey[np.hypot(rows - 110, columns - 190) < 50] = 0.1
    assert alike(image_of(gaussian_filter(grey, 1.5)), (1 - grey) / 0.9)


@pytest.mark.parametrize(("tone", "least"), [(0.1, 60), (0.53, 10)])
def test_a_stroke_along_a_ruling_stays_within_a_digit(tone: float, least: int) -> None:
    """The middle of an 8, of four rows, on a line of three; ink of 45 % is pale, but ink."""
    grey = sheet((150, 100, 260, 300))
    grey[125:275, 175:235] = 1
    for row in range(20, 400, 60):
        grey[row : row + 3] = np.where(grey[row : row + 3] > 0.5, 0.75, 0.1)
    grey[200:204, 175:235] = tone
    image = image_of(grey)
    assert (image[13:16, 12:17].max(0) > least).all()
    assert not image[7:11, 12:17].any()  # but not the line above it


@pytest.mark.parametrize(("slope", "thick"), [(0, 2), (0.02, 3), (-0.05, 4)])
def test_rulings_go_with_their_soft_edges(slope: float, thick: int) -> None:
    """Though a stroke crosses them."""
    rows, columns = np.mgrid[:400, :400]
    below = rows - np.round(slope * (columns - 200))
    grey = np.where((below - 30) % 100 < thick, 0.3, 1).astype(np.float32)
    bar = (180, 100, 210, 300)
    grey[100:300, 180:210] = 0.1
    assert boxes(grey) == [pytest.approx(bar, abs=1)]


def test_a_hole_in_a_digit_stays() -> None:
    """Also if its paper is not quite white."""
    grey = sheet((100, 60, 250, 340))
    grey[100:180, 140:210], grey[220:300, 140:210] = 1, 0.95
    expected = np.where(grey > 0.5, 0, 1).astype(np.float32)
    assert alike(image_of(grey), expected)


def test_a_stroke_apart_is_in_the_image_with_its_digit() -> None:
    """It is as pale as it may be."""
    grey = sheet((100, 60, 130, 340))
    grey[180:210, 150:240] = 0.5
    expected = (1 - grey) / 0.9
    image = image_of(grey)
    assert alike(image, expected)
    assert image.max() == 255


def test_pale_ink_is_white_though_some_of_it_is_darker() -> None:
    """As where a pen was set down: six rows of two hundred, less than a tenth."""
    grey = sheet((180, 100, 210, 300), ink=0.5)
    grey[100:106, 180:210] = 0.1
    assert alike(image_of(grey), (grey < 1).astype(np.float32))


def test_a_file_without_digits_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("L", (50, 50), 255).save(path)
    with pytest.raises(NoDigitError) as failure:
        read_picture(path)
    assert str(failure.value) == f"{path}: nothing is drawn on it"

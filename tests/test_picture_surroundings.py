"""Digits within circles and boxes, as exercises are numbered, and paper that looks like a shape."""

import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlproj.api import predict_digits
from dlproj.data.pictures.parts import digits_among, parts_of
from dlproj.data.pictures.surroundings import on_paper

FONT = f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
SIDE = 400

Grey = NDArray[np.float32]


def framed(text: str, frame: str, *, pen: int, height: int, ground: int, ink: int) -> Image.Image:
    """A printed digit within a circle or a box of 200 pixels."""
    picture = Image.new("L", (SIDE, SIDE), ground)
    pencil = ImageDraw.Draw(picture)
    draw = pencil.ellipse if frame == "circle" else pencil.rectangle
    draw((100, 100, 300, 300), outline=ink, width=pen)
    font = ImageFont.truetype(FONT, height)
    pencil.text((200, 200), text, font=font, fill=ink, anchor="mm")
    return picture


@pytest.mark.parametrize("frame", ["circle", "box"])
@pytest.mark.parametrize(("pen", "height"), [(4, 80), (8, 80), (8, 110), (14, 60)])
@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (20, 235), (210, 120)])
def test_a_digit_within_a_line_is_read(
    frame: str, pen: int, height: int, ground: int, ink: int
) -> None:
    for text in "234578":
        picture = framed(text, frame, pen=pen, height=height, ground=ground, ink=ink)
        (read,) = predict_digits(picture)
        assert read.label == text
        assert read.box
        left, top, right, bottom = read.box
        assert max(right - left, bottom - top) < height


def test_a_circle_alone_is_a_zero() -> None:
    for ground, ink in ((255, 0), (20, 235)):
        (read,) = predict_digits(framed("", "circle", pen=14, height=9, ground=ground, ink=ink))
        assert read.label == "0"


def ring(inner: int, outer: int, *, paper: float = 1.0, ink: float = 0.0) -> Grey:
    """A square line around the middle of a sheet."""
    grey = np.full((SIDE, SIDE), paper, np.float32)
    middle = SIDE // 2
    grey[middle - outer : middle + outer, middle - outer : middle + outer] = ink
    grey[middle - inner : middle + inner, middle - inner : middle + inner] = paper
    return grey


@pytest.mark.parametrize(("height", "left"), [(41, 1), (39, 0)])
def test_what_is_smaller_than_a_fifth_of_a_circle_is_no_digit_in_it(height: int, left: int) -> None:
    """Then the circle is what was drawn; otherwise what stands in it."""
    ink = 1 - ring(80, 100)
    ink[200 : 200 + height, 200:210] = 1
    groups = digits_among(list(parts_of(ink, None)), ink.shape)
    sizes = [max(part.size for part in group) for group in groups]
    assert sizes == [[200], [41]][left]


def group_of(grey: Grey, *, place: tuple[slice, slice]) -> bool:
    mask = np.zeros(grey.shape, np.float32)
    mask[place] = 1
    (part,) = parts_of(mask, None)
    return on_paper([part], grey)


def test_surroundings_are_seen_from_a_tenth_to_a_fifth_of_the_size_away() -> None:
    place = slice(150, 250), slice(190, 210)
    for far, lies in ((8, False), (22, True)):
        grey = np.full((SIDE, SIDE), 0.1, np.float32)
        grey[150 - far : 250 + far, 190 - far : 210 + far] = 1  # paper, and ink beyond
        grey[place] = 0.1
        assert group_of(grey, place=place) == lies


def test_at_the_edge_of_a_picture_there_are_no_surroundings() -> None:
    grey = np.ones((SIDE, SIDE), np.float32)
    grey[:, 150:250] = 0
    assert group_of(grey[:, 150:250], place=(slice(0, SIDE), slice(0, 100)))
    assert group_of(grey, place=(slice(0, SIDE), slice(150, 250)))

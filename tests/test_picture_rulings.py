"""Rulings on either side of each limit: how long, thick, steep and parallel the lines are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dlproj.data.pictures.rulings import rulings

Mask = NDArray[np.bool_]
SIDE = 200  # of which the thickest line is four pixels, 0.018 of it


def empty(height: int = SIDE, width: int = SIDE) -> Mask:
    return np.zeros((height, width), bool)


def lean(mask: Mask, slope: float, row: float, length: int, thick: int = 1) -> Mask:
    """Add a line about the middle of the picture, so many columns long."""
    middle = mask.shape[1] // 2
    across = np.arange(middle - length // 2, middle - length // 2 + length)
    rows = np.round(row + slope * (across - middle)).astype(int)
    for offset in range(thick):
        mask[rows + offset, across] = True
    return mask


def is_gone(mask: Mask) -> bool:
    return bool((rulings(mask) & mask == mask).all())


def stays(mask: Mask) -> bool:
    return not (rulings(mask) & mask).any()


@pytest.mark.parametrize(
    ("height", "width", "thick"), [(100, 100, 3), (200, 200, 4), (200, 600, 4), (400, 400, 7)]
)
def test_rulings_are_thin(height: int, width: int, thick: int) -> None:
    """At most 0.018 of the shorter side, or three pixels."""
    for rows, gone in ((thick, True), (thick + 1, False)):
        mask = empty(height, width)
        mask[40 : 40 + rows] = True
        assert rulings(mask).any() == rulings(mask.T).any() == gone


@pytest.mark.parametrize("slope", [-0.13, -0.06, 0.0, 0.02, 0.1])
@pytest.mark.parametrize("thick", [1, 2, 3])
@pytest.mark.parametrize(("height", "width"), [(200, 200), (200, 300), (300, 200)])
def test_all_of_a_ruling_goes(height: int, width: int, thick: int, slope: float) -> None:
    mask = lean(empty(height, width), slope, 100, width, thick)
    assert is_gone(mask)
    assert is_gone(mask.T)


@pytest.mark.parametrize("slope", [-0.13, 0.0, 0.02])
def test_all_of_a_ruling_goes_that_is_a_pixel_thinner_than_the_thickest(slope: float) -> None:
    """Which is five of 280."""
    mask = lean(empty(280, 280), slope, 140, 280, thick=4)
    assert is_gone(mask)
    assert is_gone(mask.T)


@pytest.mark.parametrize("inset", [0, 1, 30])
def test_all_of_a_frame_goes_at_the_edges_and_in_the_corners(inset: int) -> None:
    mask = empty()
    mask[inset : SIDE - inset, inset : SIDE - inset] = True
    inner = inset + 2
    mask[inner : SIDE - inner, inner : SIDE - inner] = False
    assert is_gone(mask)


def test_all_of_squared_paper_goes() -> None:
    mask = empty()
    mask[10::30] = mask[:, 17::30] = True
    assert is_gone(mask)


@pytest.mark.parametrize(("slope", "found"), [(0.13, True), (-0.13, True), (0.2, False)])
def test_rulings_lean_by_eight_degrees_at_the_most(slope: float, found: bool) -> None:
    """The tangent of 8° is 0.14."""
    mask, across = np.zeros((200, 200), bool), np.arange(200)
    mask[np.round(100 + slope * (across - 100)).astype(int), across] = True
    assert rulings(mask).any() == rulings(mask.T).any() == found


@pytest.mark.parametrize(("length", "gone"), [(150, True), (149, False)])
def test_one_line_is_a_ruling_from_three_quarters_of_the_picture_on(
    length: int, gone: bool
) -> None:
    mask = lean(empty(), 0, 100, length)
    assert is_gone(mask) == is_gone(mask.T) == gone
    assert stays(mask) == stays(mask.T) == (not gone)


@pytest.mark.parametrize(("length", "gone"), [(100, True), (99, False)])
def test_two_lines_are_rulings_from_half_of_the_picture_on(length: int, gone: bool) -> None:
    mask = lean(lean(empty(), 0, 60, 140), 0, 120, length)
    assert is_gone(mask) == gone
    assert stays(mask) == (not gone)


def test_two_ones_beside_each_other_are_none_unless_lines_lie() -> None:
    """As on squared paper and in a frame."""
    ones = lean(lean(empty(), 0, 60, 120), 0, 120, 120).T
    assert stays(ones)
    ones[10] = True
    assert is_gone(ones)


@pytest.mark.parametrize(
    ("slope", "length", "gone"),
    [(0, 60, True), (0, 59, False), (0.1, 70, True), (0.1, 50, False), (-0.1, 70, True)],
)
def test_beside_two_rulings_another_is_one_from_three_tenths_on(
    slope: float, length: int, gone: bool
) -> None:
    mask = lean(lean(empty(), slope, 40, SIDE), slope, 80, SIDE)
    short = lean(empty(), slope, 140, length)
    assert ((rulings(mask | short) & short).sum() == length) == gone


def test_beside_two_long_lines_a_shorter_one_that_runs_like_them_goes_too() -> None:
    mask = np.zeros((200, 200), bool)
    mask[[20, 60]] = True
    mask[100, 40:120] = True  # 40 % of the picture
    mask[120:160, 100] = True  # 20 %
    expected = mask.copy()
    expected[120:160] = False
    np.testing.assert_array_equal(rulings(mask) & mask, expected)
    mask[60] = False
    assert not rulings(mask)[100].any()


@pytest.mark.parametrize(("slope", "gone"), [(0.01, True), (0.0175, False)])
def test_such_a_short_one_runs_like_the_two(slope: float, gone: bool) -> None:
    """Its slope differs by at most 0.011; in a picture this large, that is seen."""
    mask = empty(800, 800)
    mask[[200, 400]] = True
    short = lean(empty(800, 800), slope, 600, 320)
    assert (rulings(mask | short) & short).any() == gone


def test_a_thick_dash_is_one_line() -> None:
    for slope in (-0.1, 0.0, 0.03):
        mask = lean(empty(), slope, 100, 130, thick=4)
        assert stays(mask)
        assert stays(mask.T)


def test_two_lines_are_further_apart_than_one_is_thick() -> None:
    assert is_gone(lean(lean(empty(), 0, 100, 140), 0, 105, 140))
    assert stays(lean(lean(empty(), 0, 100, 140), 0, 104, 140))


@pytest.mark.parametrize("wide", [1, 2, 5, 12])
def test_a_stroke_that_crosses_rulings_stays(wide: int) -> None:
    lines, stroke = empty(), empty()
    lines[20::40] = lines[21::40] = True
    stroke[50:150, 90 : 90 + wide] = True
    for mask, kept in ((lines | stroke, stroke), ((lines | stroke).T, stroke.T)):
        found = rulings(mask) & mask
        np.testing.assert_array_equal(found, mask & ~kept)


def test_a_blot_on_squared_paper_stays() -> None:
    lines, blot = empty(), empty()
    lines[10::30] = lines[:, 10::30] = True
    blot[60:80, 60:80] = True  # around a crossing
    np.testing.assert_array_equal(rulings(lines | blot) & (lines | blot), lines & ~blot)


@pytest.mark.parametrize(("rows", "stroke"), [(6, False), (7, True)])
def test_what_crosses_is_taller_than_a_line_with_its_edges(rows: int, stroke: bool) -> None:
    """Than the thickest line, of four pixels, by three."""
    mask = empty()
    mask[100] = True
    mask[100 : 100 + rows, 90:95] = True
    assert rulings(mask)[100, 90:95].any() != stroke


@pytest.mark.parametrize("below", [-8, -3, 3, 8])
def test_what_lies_beside_a_ruling_stays(below: int) -> None:
    line, dash = empty(), empty()
    line[100] = True
    dash[100 + below, 60:90] = True
    for mask, kept in ((line | dash, dash), ((line | dash).T, dash.T)):
        assert not (rulings(mask) & kept).any()

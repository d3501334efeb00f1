"""Which connected parts of a picture are digits, on either side of each limit.

The limits are what the comments of the module say; the parts are made by hand.
"""

from typing import Any

import numpy as np
import pytest

from dlproj.data.pictures.parts import Part, digits_among, parts_of, size_of

SHAPE = (200, 300)
INSIDE = (0.0, 0.0, 0.0, 0.0)


def part(
    height: int = 100, width: int = 60, *, top: int = 20, left: int = 30, **changes: Any
) -> Part:
    place = slice(top, top + height), slice(left, left + width)
    given: dict[str, Any] = {"strength": 0.8, "radius": 10.0, "sides": INSIDE, "outlined": 1.0}
    mask = np.zeros((height, width), bool)
    mask[: round(changes.pop("filled", 1) * height)] = True
    return Part(place, mask, **(given | changes))


@pytest.mark.parametrize(
    ("inside", "beyond"),
    [
        ({"height": 7, "width": 3, "radius": 1.0}, {"height": 6, "width": 3, "radius": 1.0}),
        ({"outlined": 0.86}, {"outlined": 0.85}),
        ({"radius": 27.9}, {"radius": 28.1}),  # of the longer side, 100
        ({"width": 219}, {"width": 221}),
        (
            {"height": 10, "width": 21, "radius": 2.0},
            {"height": 10, "width": 22, "radius": 2.0},
        ),
    ],
    ids=["larger than 3 % of the picture", "outlined", "no blot", "no lying line", "no dash"],
)
def test_a_part_is_a_digit_within_these_limits(
    inside: dict[str, Any], beyond: dict[str, Any]
) -> None:
    digit = part(**inside)
    assert digits_among([digit], SHAPE) == [[digit]]
    assert digits_among([part(**beyond)], SHAPE) == []


@pytest.mark.parametrize(
    ("sides", "radius", "taken"),
    [
        ((0.1, 0.0, 0.0, 0.0), 10, False),
        ((0.1, 0.0, 0.2, 0.0), 10, False),  # at a corner
        ((0.1, 0.1, 0.0, 0.0), 10, True),
        ((0.0, 0.0, 0.1, 0.1), 10, True),
        ((0.1, 0.1, 0.0, 0.0), 5, False),  # a ruling
        ((0.1, 0.1, 0.0, 0.0), 5.1, True),
        ((0.91, 0.1, 0.1, 0.0), 10, False),  # along a side, as a table under the paper
        ((0.9, 0.1, 0.1, 0.0), 10, True),
        ((0.91, 0.1, 0.1, 0.1), 10, True),  # as a 7 may
        ((0.91, 0.91, 0.1, 0.1), 10, False),
    ],
)
def test_a_picture_may_be_cut_to_its_digit(
    sides: tuple[float, ...], radius: float, taken: bool
) -> None:
    digit = part(sides=sides, radius=radius)
    for cut_out in (False, True):
        assert digits_among([digit], SHAPE, cut_out=cut_out) == ([[digit]] if taken else [])
    assert digits_among([part()], SHAPE, cut_out=True) == []


def test_a_frame_is_hollow_and_spans_the_picture() -> None:
    """More than 60 % of its height and width, and less than 15 % of that filled."""
    hollow: dict[str, Any] = {"height": 150, "width": 200, "top": 0, "filled": 0.14}
    assert digits_among([part(**hollow)], SHAPE) == []
    for changes in ({"filled": 0.16}, {"height": 120}, {"width": 180}):
        assert len(digits_among([part(**(hollow | changes))], SHAPE)) == 1
    whole: dict[str, Any] = {"height": 160, "width": 200, "top": 0}  # of 160 rows, 24 are 15 %
    for rows, count in ((23, 0), (24, 1)):
        assert len(digits_among([part(**whole, filled=rows / 160)], SHAPE)) == count


@pytest.mark.parametrize(
    ("size", "strength", "count"), [(41, 0.41, 2), (40, 0.41, 1), (41, 0.4, 1)]
)
def test_other_digits_are_nearly_as_large_and_dark_as_the_main_one(
    size: int, strength: float, count: int
) -> None:
    """More than 40 % of its size and half of its ink; it is the one with most of both."""
    other = part(size, 20, left=200, strength=strength, radius=4.0)
    assert len(digits_among([other, part()], SHAPE)) == count


def test_the_main_digit_is_not_the_largest_if_that_is_much_paler() -> None:
    """Of 100 pixels at 0.3, and 90 at 0.8, the first is too pale beside the second."""
    pale, dark = part(strength=0.3), part(90, left=200, strength=0.8)
    assert digits_among([pale, dark], SHAPE) == [[dark]]


@pytest.mark.parametrize(
    ("other", "size"),
    [
        ({"top": 110, "left": 40}, 120),  # 30 rows further down, in columns of both
        ({"height": 30, "left": 150}, 180),  # side by side
        ({"height": 30, "top": 40, "left": 40, "width": 20}, 100),  # within the first one's box
    ],
)
def test_the_size_of_several_parts_is_the_longer_side_of_the_box_around_them(
    other: dict[str, Any], size: int
) -> None:
    parts = [part(), part(**({"height": 30, "width": 60} | other))]
    assert size_of(parts) == size_of(parts[::-1]) == size


@pytest.mark.parametrize(
    ("top", "left", "together"),
    [(120, 30, True), (134, 30, True), (135, 30, False), (134, 59, True), (134, 60, False)],
)
def test_halves_of_a_broken_digit_stand_close_above_each_other(
    top: int, left: int, together: bool
) -> None:
    """Less than 15 % of the larger one apart, and side by side over more than half a width."""
    halves = [part(), part(60, 60, top=top, left=left)]
    assert len(digits_among(halves, SHAPE)) == (1 if together else 2)


def test_pieces_of_a_digit_are_joined_from_the_top_down_wherever_they_are_to_the_side() -> None:
    top, middle, bottom = part(50), part(50, top=75, left=50), part(50, top=130, left=40)
    assert digits_among([bottom, middle, top], SHAPE) == [[top, middle, bottom]]


def test_of_two_pieces_the_narrower_one_must_be_below_the_other() -> None:
    narrow = part(60, 20, top=120, left=40, radius=6.0)  # 20 of 100 columns
    assert len(digits_among([part(100, 100), narrow], SHAPE)) == 1


def test_boxes_above_each_other_are_as_far_apart_as_their_edges() -> None:
    """Seven rows are 14.9 % of 47."""
    assert len(digits_among([part(47, 40), part(47, 40, top=74)], SHAPE)) == 1
    assert len(digits_among([part(47, 40), part(47, 40, top=75)], SHAPE)) == 2


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"left": 109}, True),
        ({"left": 110}, False),  # a fifth of the digit's size apart
        ({"radius": 5.0}, False),  # half as thick
        ({"strength": 0.4}, False),  # half as dark
        ({"height": 12}, False),  # 4 % of the digit's pixels
        ({"height": 13}, True),
        ({"sides": (0.0, 0.0, 0.0, 0.1)}, False),  # it leaves the picture
    ],
)
def test_a_stroke_that_was_broken_off_belongs_to_the_digit(
    changes: dict[str, Any], taken: bool
) -> None:
    stroke: dict[str, Any] = {
        "height": 20,
        "width": 20,
        "left": 95,
        "radius": 6.0,
        "strength": 0.41,
    }
    digit, off = part(), part(**(stroke | changes))
    assert digits_among([off, digit], SHAPE) == [[digit, off] if taken else [digit]]


def test_a_far_stroke_goes_to_the_nearest_digit() -> None:
    """Its distance is that of the corners: 9 across and 12 down are 15."""
    first, second = part(width=20), part(width=20, left=150)
    stroke = part(20, 20, top=132, left=59, radius=6.0)
    assert digits_among([first, second, stroke], SHAPE) == [[first, stroke], [second]]
    further = part(20, 20, top=132, left=67, radius=6.0)  # 17 across and 12 down are 20.8
    assert digits_among([first, second, further], SHAPE) == [[first], [second]]


def test_how_far_a_stroke_may_be_depends_on_the_largest_piece_of_a_digit() -> None:
    """15 columns are less than a fifth of 100, and more than a fifth of 60."""
    pieces = [part(), part(60, 60, top=120)]
    stroke = part(20, 20, top=140, left=105, radius=6.0)
    assert digits_among([*pieces, stroke], SHAPE) == [[*pieces, stroke]]


@pytest.mark.parametrize(
    ("side", "size", "kept"), [(200, 4, True), (200, 3, False), (400, 6, True), (400, 5, False)]
)
def test_dust_is_smaller_than_four_pixels_or_a_hundredth_and_a_half(
    side: int, size: int, kept: bool
) -> None:
    ink = np.zeros((side, side + 50), np.float32)
    ink[9 : 9 + size, 7] = 0.5
    found = [*parts_of(ink, None)]
    assert len(found) == kept
    if kept:
        assert (found[0].place, found[0].strength) == ((slice(9, 9 + size), slice(7, 8)), 0.5)
        assert (found[0].radius, found[0].sides, found[0].outlined) == (1, INSIDE, 1)


def test_pixels_that_touch_at_a_corner_are_one_part_and_its_faint_edge_is_none() -> None:
    """Less than 45 % of its strength, by the tenth of its pixels that is the darkest."""
    ink = np.zeros((200, 200), np.float32)
    ink[20:40, 30:40], ink[40:60, 40:50] = 0.8, 0.8
    ink[20:60, 29] = ink[60:70, 40:50] = 0.35
    ink[20:30, 29] = 0.37
    (found,) = parts_of(ink, None)
    assert found.place == (slice(20, 60), slice(29, 50))
    assert found.mask.sum() == 410


@pytest.mark.parametrize(("faint", "left"), [(12, 400), (13, 387)])
def test_a_faint_edge_of_three_in_a_hundred_pixels_stays(faint: int, left: int) -> None:
    ink = np.zeros((200, 200), np.float32)
    ink[20:40, 30:50] = 0.8
    ink[20, 30 : 30 + faint] = 0.2
    (found,) = parts_of(ink, None)
    assert found.mask.sum() == left


@pytest.mark.parametrize(("dark", "strength"), [(10, 0.5), (11, 0.8)])
def test_a_part_is_as_strong_as_its_darkest_tenth(dark: int, strength: float) -> None:
    """Of 101 pixels."""
    ink = np.zeros((200, 200), np.float32)
    ink[20, 30:131] = 0.5
    ink[20, 30 : 30 + dark] = 0.8
    (found,) = parts_of(ink, None)
    assert found.strength == pytest.approx(strength)


def test_what_is_dark_is_cut_out_of_a_smear_within_a_shadow_within_another() -> None:
    """Each is more than twice as dark as the next, and covers more than a tenth of it."""
    ink = np.zeros((200, 200), np.float32)
    for side, value in ((160, 0.06), (80, 0.15), (40, 0.38), (20, 0.95)):
        ink[10 : 10 + side, 10 : 10 + side] = value
    (found,) = parts_of(ink, None)
    assert found.place == (slice(10, 30), slice(10, 30))


def test_a_faint_part_beside_a_dark_one_is_a_part() -> None:
    """Also where the dark one covers more than a tenth of the picture."""
    ink = np.zeros((200, 200), np.float32)
    ink[20:120, 20:100], ink[150:170, 150:160] = 0.9, 0.2
    assert [found.strength for found in parts_of(ink, None)] == pytest.approx([0.9, 0.2])


def test_sides_are_shares_of_the_edges_of_the_picture() -> None:
    ink = np.zeros((100, 200), np.float32)
    ink[0, 20:120] = ink[99, 60:100] = 1
    ink[40:70, 0] = ink[30:70, 199] = 1
    ink[:, 90] = ink[50] = 1  # which joins them
    (found,) = parts_of(ink, None)
    assert found.sides == pytest.approx((0.5, 0.2, 0.3, 0.4))
    (found,) = parts_of(ink[:-1, 1:-1], None)
    assert found.sides == pytest.approx((100 / 198, 1 / 198, 1 / 99, 1 / 99))


@pytest.mark.parametrize(
    ("dim", "outlined"),
    [(set(), 1), ({1}, 0.9), ({3}, 1), ({1, 3}, 0), ({2}, 1), ({4}, 1)],
)
@pytest.mark.parametrize("side", [70, 150])
def test_an_outline_has_paper_beside_it_or_some_pixels_off(
    side: int, dim: set[int], outlined: float
) -> None:
    """One or three widths of an edge off, the second of which is trusted less by 0.1.

    In 70 pixels an edge is one wide, in 150 two. Paper rises by half of the part's strength.
    """
    width = 1 if side == 70 else 2
    ink, rise = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    ink[30:40, 30:40] = 0.6
    rows, columns = np.mgrid[:side, :side]
    away = np.hypot(*(np.maximum(0, abs(axis - 34.5) - 4.5) for axis in (rows, columns)))
    rise[:] = 0.31
    for number in dim:
        rise[abs(away - number * width) < 0.5] = 0.3
    (found,) = parts_of(ink, rise)
    assert found.outlined == pytest.approx(outlined)


@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize(("top", "left"), [(30, 22), (0, 22), (30, 1), (2, 3), (86, 84)])
def test_paper_on_one_side_of_a_part_is_a_share_of_its_outline(
    top: int, left: int, side: int
) -> None:
    """Three widths of an edge, of two pixels each, outside 10 rows and 12 columns of ink."""
    ink, rise = np.zeros((100, 100), np.float32), np.zeros((100, 100), np.float32)
    ink[top : top + 10, left : left + 12] = 0.6
    rows, columns = np.mgrid[:100, :100]
    below, beside = rows - top, columns - left
    away = np.hypot(
        np.maximum(0, np.maximum(-below, below - 9)),
        np.maximum(0, np.maximum(-beside, beside - 11)),
    )
    outline = abs(away - 6) < 0.5
    paper = outline & (below < 0, below > 9, beside < 0, beside > 11)[side]
    rise[paper] = 0.31
    (found,) = parts_of(ink, rise)
    assert found.outlined == pytest.approx(max(0, paper.sum() / outline.sum() - 0.1))

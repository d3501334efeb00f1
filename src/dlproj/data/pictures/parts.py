"""The connected parts of what is drawn, and those of them that are digits."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dlproj.data.pictures.ink import edge_width

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

EIGHT = np.ones((3, 3))  # pixels that touch at a corner are one part
HALF = 0.45  # of a part's strongest ink: less is its edge, a shadow, or a fainter line
SMALLEST = 0.03  # of the picture's shorter side: less is dust
THICKEST = 0.28  # of a part's longer side: what holds a larger circle is a blot
WIDEST = 2.2  # width to height; a digit stands
FRAME = 0.15  # of its box: what fills less of it, and spans the picture, is a frame
IN_A_RING = 0.2  # of a circle's size: what is smaller in it is no digit
CHANGE = 0.5  # of a part's strength, across its outline
EDGES = (1, 3)  # how wide the outline may be: sharp, or out of focus
DOUBT = 0.1  # in a soft outline
OUTLINED = 0.85  # of the outline, at least
WIDE_PEN = 0.05  # of a part's longer side: a narrower line from edge to edge is a ruling
SIDE_COVERED = 0.9  # of a side of the picture: what covers more of it lies under the paper


@dataclass(frozen=True)
class Part:
    """A connected part.

    Args:
        place: its rows and columns in the picture.
        mask: which pixels of that box are its own.
        strength: its ink, in [0, 1].
        radius: of the largest circle in it, in pixels.
        sides: how much of the picture's top, bottom, left and right it covers, in [0, 1].
        outlined: share of its outline with paper beyond. Less than all, where it is cut out of
            something larger: of a shadow, a blot, the paper between two strokes.
    """

    place: tuple[slice, slice]
    mask: Mask
    strength: float
    radius: float
    sides: tuple[float, ...]
    outlined: float

    @property
    def height(self) -> int:
        """Rows."""
        return self.mask.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.mask.shape[1]

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.mask.shape)

    @property
    def weight(self) -> float:
        """How much it stands out."""
        return self.size * self.strength

    @property
    def is_cut_out(self) -> bool:
        """Whether it may be a digit that the picture was cut to, and not a table under the paper.

        It reaches from one edge to the opposite one, but lies along none of them; or, as a 7 may,
        along one if it reaches all four.
        """
        top, bottom, left, right = self.sides
        spans = (top and bottom) or (left and right)
        along = sum(side > SIDE_COVERED for side in self.sides)
        allowed = 1 if all(self.sides) else 0
        return bool(spans and along <= allowed and self.radius > WIDE_PEN * self.size)


def size_of(group: list[Part]) -> int:
    """The longer side of the box around some parts."""
    return max(
        max(part.place[axis].stop for part in group) - min(part.place[axis].start for part in group)
        for axis in (0, 1)
    )


def parts_of(ink: Array, rise: Array | None) -> Iterator[Part]:
    """The parts of what is drawn, each down to half of its own strength.

    Args:
        ink: (height, width) in [0, 1].
        rise: how much brighter each pixel is than the darkest near it; None, if ink was not cut
            out by any window.
    """
    for place, mask, strength in _split(ink, ink > 0, 4):
        radius = float(ndimage.distance_transform_edt(np.pad(mask, 1)).max())
        sides = _sides(mask, place, ink.shape)
        outlined = 1.0 if rise is None else _outlined(mask, place, strength, rise)
        yield Part(place, mask, strength, radius, sides, outlined)


def _sides(mask: Mask, place: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[float, ...]:
    (rows, columns), (height, width) = place, shape
    return (
        mask[0].sum() / width if rows.start == 0 else 0.0,
        mask[-1].sum() / width if rows.stop == height else 0.0,
        mask[:, 0].sum() / height if columns.start == 0 else 0.0,
        mask[:, -1].sum() / height if columns.stop == width else 0.0,
    )


def _outlined(mask: Mask, place: tuple[slice, slice], strength: float, rise: Array) -> float:
    """Share of the pixels some way outside a part that are paper, seen from the ink beside them."""
    far = max(EDGES) * edge_width(rise.shape)
    rows, columns = (slice(max(0, side.start - far), side.stop + far) for side in place)
    around = np.zeros(rise.shape, bool)[rows, columns]
    top, left = place[0].start - rows.start, place[1].start - columns.start
    around[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    distance = ndimage.distance_transform_edt(~around)
    paper = rise[rows, columns] > CHANGE * strength
    sharp, soft = (abs(distance - edge * edge_width(rise.shape)) < 0.5 for edge in EDGES)
    return max(_share(paper, sharp), _share(paper, soft) - DOUBT)


def _share(mask: Mask, among: Mask) -> float:
    return float((mask & among).sum() / max(1, among.sum()))


def _split(ink: Array, mask: Mask, depth: int) -> Iterator[tuple[tuple[slice, slice], Mask, float]]:
    labels, _ = ndimage.label(mask, EIGHT)
    smallest = max(4, SMALLEST * min(ink.shape) / 2)
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        own = labels[place] == number
        if max(own.shape) < smallest:
            continue
        values = ink[place][own]
        strength = float(np.percentile(values, 90))
        strong = own & (ink[place] > HALF * strength)
        if depth and strong.sum() < 0.97 * own.sum():
            padded = np.zeros_like(mask)
            padded[place] = strong
            yield from _split(ink, padded, depth - 1)
        else:
            yield place, own, strength


def digits_among(
    parts: list[Part], shape: tuple[int, ...], *, cut_out: bool = False
) -> list[list[Part]]:
    """The digits, each with the parts that it is made of, in no order.

    Args:
        parts: what is drawn.
        shape: height and width of the picture.
        cut_out: take only a digit that the picture was cut to.
    """
    drawn = [part for part in parts if not _is_frame(part, shape)]
    bodies = [p for p in drawn if _is_body(p, shape) and p.is_cut_out >= cut_out]
    rings = {id(ring) for ring in bodies if any(_goes_round(ring, body) for body in bodies)}
    bodies, drawn = ([part for part in some if id(part) not in rings] for some in (bodies, drawn))
    inside = [part for part in drawn if not any(part.sides)]
    if not bodies:
        return []
    main = max(bodies, key=lambda part: part.weight)
    large = [p for p in bodies if p.size > 0.4 * main.size and p.strength > 0.5 * main.strength]
    strokes = drawn if main.is_cut_out else inside
    return _with_strokes(_with_halves(large), strokes)


def _is_frame(part: Part, shape: tuple[int, ...]) -> bool:
    spans = part.height > 0.6 * shape[0] and part.width > 0.6 * shape[1]
    return spans and part.mask.sum() < FRAME * part.mask.size


def _goes_round(ring: Part, body: Part) -> bool:
    """Whether a digit stands in a part as in a circle: no digit has another one within its box."""
    within = (
        one.start < other.start and other.stop < one.stop
        for one, other in zip(ring.place, body.place, strict=True)
    )
    return all(within) and body.size > IN_A_RING * ring.size


def _is_body(part: Part, shape: tuple[int, ...]) -> bool:
    """Whether it may be a digit by itself."""
    return (
        (part.is_cut_out or not any(part.sides))
        and part.size > SMALLEST * min(shape)
        and part.outlined > OUTLINED
        and part.radius < THICKEST * part.size
        and part.width < WIDEST * part.height
    )


def _with_halves(bodies: list[Part]) -> list[list[Part]]:
    """Bodies as groups of those that stand close above each other: halves of a broken digit."""
    groups: list[list[Part]] = []
    for body in sorted(bodies, key=lambda part: part.place[0].start):
        for group in groups:
            above = group[-1]
            columns = above.place[1], body.place[1]
            overlap = min(c.stop for c in columns) - max(c.start for c in columns)
            size = max(above.size, body.size)
            if overlap > 0.5 * min(above.width, body.width) and _gap(above, body) < 0.15 * size:
                group.append(body)
                break
        else:
            groups.append([body])
    return groups


def _with_strokes(groups: list[list[Part]], parts: list[Part]) -> list[list[Part]]:
    """Groups with the smaller parts that belong to them: a stroke apart, or broken off."""
    taken = {id(part) for group in groups for part in group}
    for part in parts:
        if id(part) in taken:
            continue
        gap, near = min(
            ((_gap(body, part), group) for group in groups for body in group),
            key=lambda both: both[0],
        )
        body = max(near, key=lambda part: part.size)
        if (
            gap < 0.2 * body.size
            and part.radius > 0.5 * body.radius
            and part.strength > 0.5 * body.strength
            and part.mask.sum() > 0.04 * body.mask.sum()
        ):
            near.append(part)
    return groups


def _gap(one: Part, other: Part) -> float:
    """How far apart their boxes are, in pixels."""
    return float(
        np.hypot(
            *(
                max(0, b.start - a.stop, a.start - b.stop)
                for a, b in zip(one.place, other.place, strict=True)
            )
        )
    )

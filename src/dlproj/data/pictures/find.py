"""The digits of a picture, as MNIST's images."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from dlproj.data.pictures.files import Picture, open_picture
from dlproj.data.pictures.ink import ink_of, ink_on_even_paper, rise_of, smooth
from dlproj.data.pictures.parts import EIGHT, HALF, Part, digits_among, parts_of, size_of
from dlproj.data.pictures.prepare import mnist_image
from dlproj.data.pictures.rulings import rulings
from dlproj.data.pictures.surroundings import on_paper
from dlproj.errors import DlprojError

Array = NDArray[np.float32]

# Windows that strokes fit into, of the picture's shorter side, and how far each is trusted: in the
# wider one, a sheet on a table may be taken for a stroke.
WIDEST = {0.18: 1.0, 0.35: 0.25}
EVEN = 0.8  # how far it is trusted that the paper is even, and the picture cut to its digit
WORKING_SIDE = 200  # smaller pictures are enlarged to it


@dataclass(frozen=True)
class Digit:
    """A digit of a picture.

    Args:
        image: bytes (28, 28), white ink on black, as MNIST's.
        box: left, top, right and bottom of its ink, in pixels of the upright picture.
    """

    image: Tensor
    box: tuple[int, int, int, int]

    @property
    def size(self) -> int:
        """The longer side of its box."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def read_picture(path: Path) -> Tensor:
    """The digit that stands out in a picture file, as bytes (28, 28), white ink on black.

    Raises:
        DlprojError: it is no picture, too large, or has no digit on it.
    """
    try:
        return main_digit(find_digits(open_picture(path))).image
    except NoDigitError as error:
        raise NoDigitError(f"{path}: {error}") from None


class NoDigitError(DlprojError):
    """Nothing in a picture is a digit."""


def main_digit(digits: list[Digit]) -> Digit:
    """The largest of them."""
    return max(digits, key=lambda digit: digit.size)


def find_digits(picture: Picture) -> list[Digit]:
    """All digits of a picture, from left to right, line by line.

    Raises:
        NoDigitError: there is none.
    """
    return max(candidates(picture), key=lambda candidate: candidate.weight).digits


@dataclass(frozen=True)
class Candidate:
    """What may be the digits of a picture; another reading of it may be right.

    Args:
        digits: from left to right, line by line.
        weight: how likely it is from their size and from how they were found; only that of other
            readings of the same picture compares.
    """

    digits: list[Digit]
    weight: float


def candidates(picture: Picture) -> list[Candidate]:
    """The readings of a picture that have digits.

    Raises:
        NoDigitError: there is none.
    """
    drawn = False
    for grey in picture.channels:
        ratio = max(1.0, WORKING_SIDE / min(grey.shape))
        quiet = smooth(_enlarged(grey, ratio))
        views = [view for side in (quiet, 1 - quiet) for view in _views(side)]
        drawn = drawn or any(view.parts for view in views)
        found = [
            Candidate(
                _in_order([_digit(view, group, picture.scale / ratio) for group in view.digits]),
                view.weight,
            )
            for view in views
            if view.digits
        ]
        if found:
            return found
    raise NoDigitError("no digit found" if drawn else "nothing is drawn on it")


@dataclass(frozen=True)
class View:
    """What is drawn on a picture, if its ink is dark and no wider than some window.

    Args:
        ink: (height, width) in [0, 1].
        deep: the same in the widest window, with all of the widest strokes, and some shadow.
        parts: what is connected.
        digits: those parts that are.
        trust: the less, the more a view takes for ink that is none.
    """

    ink: Array
    deep: Array
    parts: list[Part]
    digits: list[list[Part]]
    trust: float

    @property
    def weight(self) -> float:
        """How large its digits are, as far as it is trusted."""
        return self.trust * sum(size_of(group) for group in self.digits)


def _views(quiet: Array) -> Iterator[View]:
    """A picture with dark ink seen in three ways, as `WIDEST` says."""
    rise = rise_of(quiet)
    inks = [ink_of(quiet, widest) for widest in WIDEST]
    deep = inks[-1].copy()
    for ink, trust in zip(inks, WIDEST.values(), strict=True):
        ink[ndimage.binary_dilation(rulings(ink > 0), EIGHT)] = 0
        parts = list(parts_of(ink, rise))
        digits = [group for group in digits_among(parts, ink.shape) if on_paper(group, quiet)]
        yield View(ink, deep, parts, digits, trust)
    ink = ink_on_even_paper(quiet)
    parts = list(parts_of(ink, None))
    yield View(ink, deep, parts, digits_among(parts, ink.shape, cut_out=True), EVEN)


def _enlarged(grey: Array, ratio: float) -> Array:
    if ratio == 1:
        return grey
    height, width = grey.shape
    size = round(width * ratio), round(height * ratio)
    larger = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(larger, np.float32).clip(0, 1)


def _digit(view: View, group: list[Part], scale: float) -> Digit:
    """The ink of a digit's parts, with the soft edges around them."""
    mask = np.zeros(view.ink.shape, bool)
    for part in group:
        mask[part.place] |= part.mask
    strength = max(part.strength for part in group)
    rows, columns = ndimage.find_objects(mask.astype(int))[0]
    box = [round(side * scale) for side in (columns.start, rows.start, columns.stop, rows.stop)]
    mask, ink, deep = (whole[rows, columns] for whole in (mask, view.ink, view.deep))
    mask |= ndimage.binary_fill_holes(mask) & (deep > HALF * strength)
    ink = np.where(ndimage.binary_dilation(mask, EIGHT, 2), ink, 0)
    ink = np.where(mask, np.maximum(ink, deep), ink)
    image = torch.from_numpy(mnist_image(np.clip(ink / strength, 0, 1)))
    return Digit(image, (box[0], box[1], box[2], box[3]))


def _in_order(digits: list[Digit]) -> list[Digit]:
    """Line by line: a line goes down as far as its first digit does."""
    waiting = sorted(digits, key=lambda digit: digit.box[1])
    ordered = []
    while waiting:
        middle = (waiting[0].box[1] + waiting[0].box[3]) / 2
        line = [digit for digit in waiting if digit.box[1] <= middle]
        ordered += sorted(line, key=lambda digit: digit.box[0])
        waiting = [digit for digit in waiting if digit.box[1] > middle]
    return ordered

"""The digits of a picture, as MNIST's images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from dlproj.data.pictures.files import Picture, open_picture
from dlproj.data.pictures.ink import ink_of, rise_of, smooth
from dlproj.data.pictures.parts import EIGHT, Part, digits_among, parts_of, weight_of
from dlproj.data.pictures.prepare import mnist_image
from dlproj.data.pictures.rulings import rulings
from dlproj.errors import DlprojError

Array = NDArray[np.float32]

# Strokes, of the picture's shorter side. The wider window is for digits that fill the picture: it
# would take a sheet on a table for a stroke.
WIDEST = (0.18, 0.35)
MUCH = 1.5  # so much more stands out what only the wider shows
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
    drawn = False
    for grey in picture.channels:
        ratio = max(1.0, WORKING_SIDE / min(grey.shape))
        quiet = smooth(_enlarged(grey, ratio))
        rises = [rise_of(quiet, light=light) for light in (False, True)]
        best: list[list[Part]] = []
        ink = quiet
        for widest in WIDEST:
            narrower = weight_of(best)
            for light, rise in enumerate(rises):
                seen, parts = _look(quiet, rise, widest, light=bool(light))
                drawn = drawn or bool(parts)
                groups = digits_among(parts, seen.shape)
                if narrower and not any(part.is_cut_out for group in groups for part in group):
                    continue
                if weight_of(groups) > max(MUCH * narrower, weight_of(best)):
                    best, ink = groups, seen
        if best:
            scale = picture.scale / ratio
            return _in_order([_digit(ink, group, scale) for group in best])
    raise NoDigitError("no digit found" if drawn else "nothing is drawn on it")


def _look(quiet: Array, rise: Array, widest: float, *, light: bool) -> tuple[Array, list[Part]]:
    """The ink of one kind without ruled lines, and its parts."""
    ink, least = ink_of(quiet, widest=widest, light=light)
    ink[ndimage.binary_dilation(rulings(ink > least), EIGHT)] = 0
    return ink, list(parts_of(ink, least, rise))


def _enlarged(grey: Array, ratio: float) -> Array:
    if ratio == 1:
        return grey
    height, width = grey.shape
    size = round(width * ratio), round(height * ratio)
    larger = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(larger, np.float32).clip(0, 1)


def _digit(ink: Array, group: list[Part], scale: float) -> Digit:
    """The ink of a digit's parts, with the soft edges around them."""
    mask = np.zeros(ink.shape, bool)
    for part in group:
        mask[part.place] |= part.mask
    rows, columns = ndimage.find_objects(mask.astype(int))[0]
    near = np.pad(mask[rows, columns], 2)
    own = np.pad(ink, 2)[rows.start : rows.stop + 4, columns.start : columns.stop + 4]
    own = np.where(ndimage.binary_dilation(near, EIGHT, 2), own, 0)
    strength = max(part.strength for part in group)
    box = [round(side * scale) for side in (columns.start, rows.start, columns.stop, rows.stop)]
    image = torch.from_numpy(mnist_image(np.clip(own / strength, 0, 1)))
    return Digit(image, (box[0], box[1], box[2], box[3]))


def _in_order(digits: list[Digit]) -> list[Digit]:
    """Line by line: a line goes down as far as its first digit does."""
    waiting = sorted(digits, key=lambda digit: digit.box[1])
    ordered = []
    while waiting:
        middle = (waiting[0].box[1] + waiting[0].box[3]) / 2
        line = [digit for digit in waiting if digit.box[1] < middle]
        ordered += sorted(line, key=lambda digit: digit.box[0])
        waiting = [digit for digit in waiting if digit.box[1] >= middle]
    return ordered

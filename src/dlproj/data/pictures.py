"""The user's own pictures of digits, made to look like MNIST's.

MNIST's digits are white ink on black, scaled to fit 20x20 pixels and placed with their centre of
mass in the middle of 28x28 (LeCun et al. 1998, section III.A).
"""

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor

from dlproj.data.images import SIDE
from dlproj.errors import DlprojError

INK_BOX = 20  # the longer side of a digit
MAX_PIXELS = 50_000_000
LARGEST_SIDE = 800  # larger pictures are reduced to it
SPECKLED_SIDE = 200  # from here on, a stroke is wider than a speck
PAPER = 0.1  # of the darkest ink; fainter is paper
STROKE = 0.35  # of the darkest ink; fainter does not stretch the box around the digit


def read_picture(path: Path) -> Tensor:
    """A picture file as bytes (28, 28), white ink on black.

    Raises:
        DlprojError: it is no picture, too large, or has no ink on it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DlprojError(f"{path}: has more than {MAX_PIXELS:,} pixels")
                grey = _to_grey(picture)
    except FileNotFoundError:
        raise DlprojError(f"{path}: no such file") from None
    except Exception as error:
        if isinstance(error, DlprojError):
            raise
        raise DlprojError(f"{path}: cannot be read as a picture") from None
    ink = _ink(grey)
    if ink is None:
        raise DlprojError(f"{path}: nothing is drawn on it")
    return torch.from_numpy(_centre(_scale(ink)))


def _to_grey(picture: Image.Image) -> NDArray[np.float64]:
    """Brightness in [0, 1], turned as the camera was held, transparent parts as white paper."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    paper = Image.new("RGBA", upright.size, "white")
    flat = Image.alpha_composite(paper, upright).convert("L")
    flat.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BOX)
    if min(flat.size) >= SPECKLED_SIDE:  # noise, or the dots of a black and white scan
        flat = flat.filter(ImageFilter.MedianFilter(3))
    return np.asarray(flat, np.float64) / 255


def _ink(grey: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The part of the picture that has ink, 1 where it is strongest and 0 on paper."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = np.median(edge)
    ink = paper - grey if paper > 0.5 else grey - paper
    strongest = ink.max()
    if strongest < 0.05:
        return None
    ink = np.clip((ink / strongest - PAPER) / (1 - PAPER), 0, 1)
    rows, columns = np.nonzero(ink > STROKE)
    box: NDArray[np.float64] = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return box


def _scale(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled so that the longer side is 20 pixels."""
    height, width = ink.shape
    ratio = INK_BOX / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    picture = Image.fromarray((ink * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX if
        ratio < 1 else Image.Resampling.BICUBIC)  # fmt: skip
    return np.asarray(picture, np.float64) / 255


def _centre(ink: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Placed with its centre of mass in the middle of 28x28, as far as it fits."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (_start(ink.sum(1 - axis)) for axis in (0, 1))
    strength = 255 / max(ink.max(), 1e-9)
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = np.round(ink * strength)
    return image


def _start(mass: NDArray[np.float64]) -> int:
    """Where along one side the ink must begin for its centre of mass to be at pixel 14.

    That is where it is, on average and to a hundredth of a pixel, in MNIST's own images.
    """
    centre = float((mass * np.arange(len(mass))).sum() / max(mass.sum(), 1e-9))
    return int(np.clip(round(SIDE / 2 - centre), 0, SIDE - len(mass)))

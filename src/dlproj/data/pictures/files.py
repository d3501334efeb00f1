"""Picture files of any kind, as upright brightness in [0, 1]."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from dlproj.errors import DlprojError

Array = NDArray[np.float32]

MAX_PIXELS = 50_000_000
MAX_SIDES = 200  # of height to width; with more, nothing is left of the shorter one
LARGEST_SIDE = 800  # larger pictures are reduced to it
FULL_SCALES = (255, 1023, 4095, 16383, 65535)  # of 8, 10, 12, 14 and 16 bits
WORDS = {"I", "I;16", "I;16L", "I;16B", "I;16N"}
FIRST_OF = {"GIF", "WEBP", "PNG", "TIFF", "AVIF"}  # a phone's MPO has only previews behind it
START = 1000  # bytes that tell what a file is
WAYS_OUT = {  # by how a file begins that is no picture to Pillow
    rb"....ftyp(heic|heix|mif1|msf1)": "it is HEIC, as iPhones make them; save it as JPEG or PNG",
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|....ftypavif": (
        "it is damaged or cut off; copy it again"
    ),
    rb"II\*\0|MM\0\*": "it is damaged, or a camera's raw file; save it as JPEG or PNG",
    rb"....ftyp|RIFF....AVI": "it is a film; save one picture of it as JPEG or PNG",
    rb"%PDF": "it is a PDF; save the page as JPEG or PNG",
    rb"PK\x03\x04": "it is a zip archive; unpack it and name the pictures in it",
    rb"(?i).*<html|\s*<!doctype html": "it is a web page; save the picture that is on it",
    rb".*<svg": "it is an SVG drawing; save it as PNG",
    rb"$": "it is empty",
}


@dataclass(frozen=True)
class Picture:
    """A picture as people see it, and what is looked at of it.

    Args:
        shown: upright, flattened, at most 800 pixels wide and high.
        channels: brightness (height, width) in [0, 1] of the same; then of red, green and blue, if
            it has colours.
        scale: pixels of the file to one of these.
        remarks: what was done that the user may not expect.
    """

    shown: Image.Image
    channels: list[Array]
    scale: float
    remarks: tuple[str, ...] = ()


def open_picture(path: Path) -> Picture:
    """Read a file.

    Raises:
        DlprojError: it is no picture, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return flatten(picture)
    except DlprojError as error:
        raise DlprojError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise DlprojError(f"{as_typed(path)}: no such file{_no_file(path)}") from None
    except IsADirectoryError:
        raise DlprojError(f"{path}: a folder, not a picture; name the files in it") from None
    except PermissionError as error:
        raise DlprojError(f"{path}: {error.strerror}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DlprojError(f"{path}: {_too_large()}") from None
    except Exception:  # whatever Pillow's many readers stumble over
        raise DlprojError(f"{path}: cannot be read as a picture{_way_out(path)}") from None


def flatten(picture: Image.Image) -> Picture:
    """What is looked at of a picture of Pillow.

    Raises:
        DlprojError: it is too large, too long, or has values that are no numbers.
    """
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise DlprojError(_too_large())
    if not width or not height:
        raise DlprojError("has no pixels")
    if max(width, height) > MAX_SIDES * min(width, height):
        raise DlprojError(f"is more than {MAX_SIDES} times as long as it is wide")
    remarks = []
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format in FIRST_OF:
        remarks.append(f"has {frames} pictures, of which the first is read")
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in WORDS or upright.mode == "F":
        channels = [_reduce(Image.fromarray(_stretched(np.asarray(upright))))]
    else:
        upright = _on_paper(_colours(upright))
        bands = (
            [upright.convert("L"), *upright.split()]
            if _has_colours(upright)
            else [upright.convert("L")]
        )
        channels = [_reduce(band.convert("F")) / np.float32(255) for band in bands]
    if len(channels) == 1:
        shown = Image.fromarray(np.round(channels[0] * 255).astype(np.uint8))
    else:
        stacked = np.stack(channels[1:], axis=2)
        shown = Image.fromarray(np.round(stacked * 255).astype(np.uint8))
    return Picture(shown, channels, upright.width / shown.width, tuple(remarks))


def _too_large() -> str:
    return f"has more than {MAX_PIXELS:,} pixels"


def as_typed(path: Path) -> str:
    """Its name; an address on the web gets back the slash that a Path swallows."""
    return re.sub("^(https?:)/(?!/)", r"\1//", str(path))


def _no_file(path: Path) -> str:
    """What would help with a name that is none of a file."""
    if re.match("https?:/", str(path)):
        return "; download what is on the web first"
    return "; save what comes in a pipe as a file first" if str(path) == "-" else ""


def _way_out(path: Path) -> str:
    """What would help with a file that is a picture, but not to Pillow."""
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError:
        return ""
    for beginning, way_out in WAYS_OUT.items():
        if re.match(beginning, start, re.DOTALL):
            return f": {way_out}"
    return ""


def _colours(picture: Image.Image) -> Image.Image:
    """In RGB, with the opacity if it has one."""
    if picture.mode == "LAB":
        return picture.getchannel("L").convert("RGB")
    transparent = "A" in picture.mode or "a" in picture.mode or "transparency" in picture.info
    return picture.convert("RGBA" if transparent else "RGB")


def _on_paper(picture: Image.Image) -> Image.Image:
    """Laid on what makes its ink visible: black if what is opaque is light, else white."""
    if picture.mode == "RGB":
        return picture
    grey = np.asarray(picture.convert("RGB").convert("L"), np.float32)
    alpha = np.asarray(picture.getchannel("A"), np.float32)
    opacity = float(alpha.sum())
    light = opacity > 0 and float((grey * alpha).sum()) / opacity > 127
    drawn = float(alpha.mean()) < 0.6 * 255  # or else the picture has paper of its own
    paper = Image.new("RGBA", picture.size, "black" if light and drawn else "white")
    return Image.alpha_composite(paper, picture).convert("RGB")


def _has_colours(picture: Image.Image) -> bool:
    small = picture.reduce(max(1, max(picture.size) // 200))
    values = np.asarray(small, np.float32)
    return bool((np.ptp(values, axis=2) > 20).mean() > 0.0005)


def _stretched(values: NDArray[Any]) -> Array:
    """16-bit and floating-point brightness in [0, 1], whatever scale they have."""
    numbers = values.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise DlprojError("has pixels that are not finite numbers")
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0 and high <= 1 and values.dtype.kind == "f":
        return numbers
    scale = next((scale for scale in FULL_SCALES if high <= scale), None)
    if low < 0 or scale is None:  # heights, temperatures: no scale of brightness
        return (numbers - low) / max(high - low, 1e-9)
    return numbers / np.float32(scale)


def _reduce(grey: Image.Image) -> Array:
    """At most 800 pixels wide and high."""
    ratio = LARGEST_SIDE / max(grey.size)
    if ratio < 1:
        size = [round(side * ratio) for side in grey.size]
        grey = grey.resize((size[0], size[1]), Image.Resampling.BOX)
    return np.asarray(grey, np.float32)

"""Arrays of images in any size, colour and range, brought to MNIST's form.

That is 28x28 bytes, light ink on a dark ground.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dlproj.data.image_data import SIDE
from dlproj.errors import DlprojError

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
LOOKED_AT = 2000  # images that tell light ink from dark
LIGHT = 170  # of the median along an image's border: dark ink on a light ground
DARK = 255 - LIGHT
MOSTLY = 0.9  # of the images that are looked at
FEW = 5  # images that say nothing of the ground of others
APART = 8  # times as bright is another unit: 16, 255, 4095 and 65535 are highest in common ones
DIM, DIM_16 = 128, 2**15  # bytes, and 16 bits, that all stay below were counted in other units
CHUNK = 10_000
SMALLEST = 4  # pixels of the longer side; a table with fewer is of something else

Array = NDArray[Any]


def to_pictures(arrays: list[Array], where: str) -> tuple[list[Tensor], list[str]]:
    """Bytes (n, 28, 28) of each array, and remarks on what was done.

    Args:
        arrays: (n, height, width), flat, or with channels first or last; all are treated alike.
            The first is to learn from, the second to be tested on.
        where: what to name in messages.

    Raises:
        DlprojError: they are no images, their range does not say what is black and white, or
            differs between them.
    """
    remarks = []
    images = [_shaped(array, where) for array in arrays]
    if images[0].ndim == 4:
        remarks.append("colour images are taken as shades of grey")
        images = [_in_chunks(part, lambda chunk: chunk[..., :3] @ GREY) for part in images]
    factor, remark = _factor(images, where)
    remarks += [remark] if remark else []
    grounds = [_ground(part, factor) for part in images]
    _check_grounds(images, grounds, where)
    dark_ink = grounds[0] == "light"
    if dark_ink:
        remarks.append("dark ink on a light ground: turned to light on dark, as MNIST's images are")
    height, width = images[0].shape[1:]
    if (height, width) != (SIDE, SIDE):
        remarks.append(f"images of {height}x{width} pixels are scaled to {SIDE}x{SIDE}")

    def form(chunk: Array) -> Array:
        if chunk.dtype == np.uint8 and factor == 1 and not dark_ink and chunk.shape[1:] == (28, 28):
            return chunk
        values = torch.from_numpy(chunk.astype(np.float32) * factor)
        values = 255 - values if dark_ink else values
        return _fitted(values).round_().clamp_(0, 255).byte().numpy()

    return [torch.from_numpy(_in_chunks(part, form)) for part in images], remarks


def _in_chunks(array: Array, function: Any) -> Array:
    """A function of an array, computed for some images at a time to save memory."""
    if len(array) <= CHUNK:
        return np.ascontiguousarray(function(array))
    starts = range(0, len(array), CHUNK)
    return np.concatenate([function(array[start : start + CHUNK]) for start in starts])


def _shaped(array: Array, where: str) -> Array:
    """(n, height, width), or with three channels last."""
    if array.dtype.kind not in "buif":
        raise DlprojError(f"{where}: images must be numbers, not {array.dtype}")
    if array.ndim == 2:
        side = round(array.shape[1] ** 0.5)
        if side * side != array.shape[1]:
            raise DlprojError(f"{where}: {array.shape[1]} pixels an image are no square")
        array = array.reshape(len(array), side, side)
    if array.ndim == 4 and array.shape[1] in {1, 3, 4} and array.shape[3] not in {1, 3, 4}:
        array = np.moveaxis(array, 1, 3)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    channels = array.shape[3] if array.ndim == 4 else 3
    if array.ndim not in {3, 4} or channels not in {3, 4} or not all(array.shape[1:]):
        raise DlprojError(
            f"{where}: images {array.shape} must be (n, height, width), with 1 or 3 channels "
            "behind or none"
        )
    height, width = array.shape[1:3]
    if max(height, width) < SMALLEST:
        raise DlprojError(
            f"{where}: images of {height}x{width} pixels are too small; expected are "
            f"{SMALLEST}x{SMALLEST} or more"
        )
    return array


def _factor(images: list[Array], where: str) -> tuple[float, str]:
    """What makes bytes of the pixels, and a remark where that is unusual."""
    low = min(float(part.min(initial=0)) for part in images)
    highs = [float(part.max(initial=0)) for part in images]
    high = max(highs)
    if not np.isfinite([low, high]).all():
        raise DlprojError(f"{where}: pixels must be finite numbers")
    if low < 0 or high > 65535:
        raise DlprojError(f"{where}: pixels from {low:g} to {high:g}; bring them to 0 to 255")
    if high == 0:
        raise DlprojError(f"{where}: all images are black")
    _check_scales(highs, where)
    if high <= 1:
        return 255.0, f"pixels from 0 to {high:g} are taken as parts of white"
    if high >= DIM_16:
        return 255 / 65535, f"pixels from 0 to {high:g} are taken as 16 bits each"
    if high < DIM or high > 255:
        return 255 / high, f"pixels from 0 to {high:g} are scaled to 0 to 255"
    return 1.0, ""


def _check_scales(highs: list[float], where: str) -> None:
    """Refuse test images that are counted in other units than the training images."""
    low, high = min(highs), max(highs)
    if low > 0 and ((low <= 1 and high > 1.5) or high >= APART * low):
        raise DlprojError(
            f"{where}: pixels of training images are from 0 to {highs[0]:g}, of test images from 0 "
            f"to {highs[1]:g}; bring both to the same scale"
        )


def _check_grounds(images: list[Array], grounds: list[str], where: str) -> None:
    """Refuse test images that are inverted against the training images."""
    if {*grounds} >= {"light", "dark"} and min(map(len, images)) >= FEW:
        raise DlprojError(
            f"{where}: training images have a {grounds[0]} ground, test images a {grounds[1]} one; "
            "invert the pixels of one of them"
        )


def _ground(images: Array, factor: float) -> str:
    """Whether nine of ten images are light or dark along their border; empty where neither is."""
    some = images[:: max(1, len(images) // LOOKED_AT)]
    if not len(some):
        return ""
    border = np.concatenate([some[:, 0], some[:, -1], some[:, :, 0], some[:, :, -1]], axis=1)
    medians = np.median(border, 1) * factor
    if (medians > LIGHT).mean() >= MOSTLY:
        return "light"
    return "dark" if (medians < DARK).mean() >= MOSTLY else ""


def _fitted(images: Tensor) -> Tensor:
    """(n, height, width) as (n, 28, 28): the longer side fills it, black is added to the other."""
    height, width = images.shape[1:]
    if height == width == SIDE:
        return images
    longer = max(height, width)
    size = [max(1, round(SIDE * side / longer)) for side in (height, width)]
    mode = "area" if longer > SIDE else "bilinear"
    scaled = F.interpolate(images[:, None], size, mode=mode)[:, 0]
    top, left = ((SIDE - side) // 2 for side in size)
    return F.pad(scaled, (left, SIDE - size[1] - left, top, SIDE - size[0] - top))

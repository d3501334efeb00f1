"""What may be given to `dlproj.predict_digits`."""

import os
import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dlproj.data.digits import SIDE, to_pixels
from dlproj.data.pictures import Picture, flatten, open_picture
from dlproj.errors import DlprojError, UsageError
from dlproj.limits import path_of
from dlproj.tools.digit_reader import DigitPrediction, DigitReader

OnePicture: TypeAlias = str | os.PathLike[str] | Image.Image
DigitImages: TypeAlias = OnePicture | Sequence[OnePicture] | Tensor | NDArray[Any]
PICTURE = (str, os.PathLike, Image.Image)
TAKEN = "picture files, pictures of Pillow, an array or a tensor"


def read_any(reader: DigitReader, images: DigitImages, *, several: bool) -> list[DigitPrediction]:
    """The predictions for pictures or for images (n, 28, 28), in their order.

    Raises:
        UsageError: they are neither.
        DlprojError: a picture cannot be read, or has no digit.
    """
    if isinstance(images, PICTURE):
        images = [images]
    if isinstance(images, Sequence) and all(isinstance(image, PICTURE) for image in images):
        return [
            prediction
            for index, image in enumerate(images)
            for prediction in _read_picture(reader, image, index, several=several)
        ]
    pixels = pixels_of(images)
    return reader.read_images(pixels, [str(index) for index in range(len(pixels))])


def _read_picture(
    reader: DigitReader, image: Any, index: int, *, several: bool
) -> list[DigitPrediction]:
    in_memory = isinstance(image, Image.Image)
    name = str(index) if in_memory else os.fspath(image)
    try:
        picture: Picture = flatten(image) if in_memory else open_picture(path_of("images", name))
        return reader.read_picture(
            picture, name, several=several, remark=lambda text: warnings.warn(text, stacklevel=5)
        ).predictions
    except DlprojError as error:
        where = f"picture {index} (counted from 0)" if in_memory else name
        raise type(error)(f"{where}: {str(error).removeprefix(f'{name}: ')}") from None


def pixels_of(images: Any) -> Tensor:
    """Images as (n, 1, 28, 28) in [0, 1].

    Raises:
        UsageError: they have another shape or other values.
    """
    try:
        if isinstance(images, Sequence):
            images = torch.stack([torch.as_tensor(image) for image in images])
        images = torch.as_tensor(images).detach()
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"images must be {TAKEN}, not {_kind(images)}") from None
    if images.shape == (SIDE, SIDE):
        images = images[None]
    if images.shape[1:] not in {(SIDE, SIDE), (1, SIDE, SIDE)}:
        raise UsageError(
            f"images must be (n, {SIDE}, {SIDE}) or (n, 1, {SIDE}, {SIDE}), not "
            f"{[*images.shape]}; larger ones are read as pictures: Image.fromarray(array)"
        )
    images = images.reshape(-1, SIDE, SIDE)
    if images.dtype == torch.bool:
        return images.unsqueeze(1).float()
    if images.is_complex() or not images.isfinite().all():
        raise UsageError("images must be finite real numbers")
    if images.is_floating_point():
        if not ((images >= 0) & (images <= 1)).all():
            raise UsageError("images of floating-point numbers must be in [0, 1]: divide by 255?")
        return images.unsqueeze(1).float()
    return _of_integers(images)


def _of_integers(images: Tensor) -> Tensor:
    """Bytes (n, 28, 28), or black and white, to (n, 1, 28, 28) in [0, 1]."""
    images = images.to(torch.int64)  # torch compares no unsigned numbers of 16 bits and more
    if not ((images >= 0) & (images <= 255)).all():
        raise UsageError("images of integers must be in 0..255")
    if images.numel() and images.max() == 1:  # black and white: as bytes, nothing could be seen
        return images.unsqueeze(1).float()
    return to_pixels(images.to(torch.uint8))


def _kind(images: Any) -> str:
    if isinstance(images, Sequence) and len(images):
        return f"a sequence of {type(images[0]).__name__}"
    return type(images).__name__

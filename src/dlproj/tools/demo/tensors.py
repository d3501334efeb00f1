"""Tensors as text that a page can hold: one zlib stream for each network, in base64."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGE = 20_000  # numbers in a matrix; smaller ones stay as they are
TABLE = 1_000_000  # from here on, 8 bits for a number


def pack_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Tensors by name as `{"text": base64, "index": [{name, format, shape, start}]}`.

    Matrices that are large have 16 bits for a number, whole ones with a scale for each row: eight
    times as near as half precision. Tables, and matrices that had 8 bits in their file, have the 8
    bits of float8_e4m3fn; everything small is in single precision.
    """
    parts, index, start = [], [], 0
    for name, tensor in tensors.items():
        form, data = _encode(tensor.detach().cpu().contiguous())
        shape = list(tensor.shape)
        index.append({"name": name, "format": form, "shape": shape, "start": start})
        parts.append(data)
        start += len(data)
    packed = zlib.compress(b"".join(parts), 9)
    return {"text": base64.b64encode(packed).decode(), "index": index}


def as_packed(tensor: Tensor) -> Tensor:
    """The tensor as the page will read it: rounded."""
    form = _format(tensor)
    if form == "float8":
        return tensor.to(torch.float8_e4m3fn).to(tensor.dtype)
    if form == "rows16":
        whole, scales = _rows(tensor)
        return (whole * scales[:, None]).view_as(tensor)
    return tensor


def _format(tensor: Tensor) -> str:
    if not tensor.is_floating_point():
        return str(tensor.dtype).removeprefix("torch.")
    if tensor.numel() < LARGE:
        return "float32"
    small = tensor.to(torch.float8_e4m3fn).to(tensor.dtype)
    return "float8" if tensor.numel() >= TABLE or small.equal(tensor) else "rows16"


def _encode(tensor: Tensor) -> tuple[str, bytes]:
    form = _format(tensor)
    if form == "float8":
        tensor = tensor.to(torch.float8_e4m3fn).view(torch.uint8)
    elif form == "rows16":
        whole, scales = _rows(tensor)
        # High bytes before low ones: those are alike, and compress.
        planes = whole.short().numpy().astype(">i2").view(np.uint8).reshape(-1, 2).T
        return form, scales.float().numpy().astype("<f4").tobytes() + planes.tobytes()
    elif form == "float32":
        tensor = tensor.float()
    return form, tensor.numpy().tobytes()


def _rows(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix as whole numbers up to 32767, and what those of each row are multiplied by."""
    matrix = tensor.flatten(1)
    scales = (matrix.abs().amax(1) / 32767).clamp(min=torch.finfo(torch.float32).tiny)
    return (matrix / scales[:, None]).round(), scales

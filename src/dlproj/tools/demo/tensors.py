"""Tensors as text that a page can hold: one zlib stream for each network, in base85."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGE = 20_000  # numbers in a matrix; smaller ones stay as they are
TABLE, SLOTS = 1_000_000, 100_000  # from so many numbers or rows on, 8 bits for a number
PLAIN = bytes.maketrans(b"<>&", b",.:")  # letters to which HTML gives no meaning


def pack_tensors(tensors: Mapping[str, Tensor], bits: int) -> dict[str, Any]:
    """Tensors by name as `{"text": base85, "index": [{name, format, shape, start}]}`.

    Matrices that are large have whole numbers of so many bits, at most 16, with a scale for each
    row. Tables, and matrices that had 8 bits in their file, have the 8 bits of float8_e4m3fn;
    everything small is in single precision.
    """
    parts, index, start = [], [], 0
    for name, tensor in tensors.items():
        form, data = _encode(tensor.detach().cpu().contiguous(), bits)
        shape = list(tensor.shape)
        index.append({"name": name, "format": form, "shape": shape, "start": start})
        parts.append(data)
        start += len(data)
    # Weights seldom repeat: "filtered" looks for less of that, and codes single bytes better.
    zipped = zlib.compressobj(9, strategy=zlib.Z_FILTERED)
    packed = zipped.compress(b"".join(parts)) + zipped.flush()
    return {"text": base64.b85encode(packed).translate(PLAIN).decode(), "index": index}


def as_packed(tensor: Tensor, bits: int) -> Tensor:
    """The tensor as the page will read it: rounded."""
    form = _format(tensor)
    if form == "float8":
        return tensor.to(torch.float8_e4m3fn).to(tensor.dtype)
    if form == "rows":
        whole, scales = _rows(tensor, bits)
        return (whole * scales[:, None]).view_as(tensor)
    return tensor


def _format(tensor: Tensor) -> str:
    if not tensor.is_floating_point():
        return str(tensor.dtype).removeprefix("torch.")
    if tensor.numel() < LARGE:
        return "float32"
    table = tensor.numel() >= TABLE or len(tensor) >= SLOTS
    exact = tensor.to(torch.float8_e4m3fn).to(tensor.dtype).equal(tensor)
    return "float8" if table or exact else "rows"


def _encode(tensor: Tensor, bits: int) -> tuple[str, bytes]:
    form = _format(tensor)
    if form == "float8":
        tensor = tensor.to(torch.float8_e4m3fn).view(torch.uint8)
    elif form == "rows":
        whole, scales = _rows(tensor, bits)
        # High bytes before low ones: those are alike, and compress.
        planes = whole.short().numpy().astype(">i2").view(np.uint8).reshape(-1, 2).T
        return form, scales.float().numpy().astype("<f4").tobytes() + planes.tobytes()
    elif form == "float32":
        tensor = tensor.float()
    return form, tensor.numpy().tobytes()


def _rows(tensor: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """A matrix as whole numbers with a sign, and what those of each row are multiplied by."""
    matrix = tensor.flatten(1)
    scales = (matrix.abs().amax(1) / (2 ** (bits - 1) - 1)).clamp(
        min=torch.finfo(torch.float32).tiny
    )
    return (matrix / scales[:, None]).round(), scales

"""Tensors as bytes: safetensors with a checksum, never a pickle."""

import hashlib
import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from dlproj.errors import DlprojError


class DamagedError(DlprojError):
    """The bytes are not what was written."""


def pack(tensors: dict[str, Tensor], about: dict[str, Any]) -> bytes:
    """Tensors and JSON values as one safetensors file, with a checksum over both."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # One metadata entry, because safetensors does not keep the order of several.
    metadata = json.dumps({"about": about, "sha256": _digest(tensors, about)})
    return safetensors.save(tensors, {"dlproj": metadata})


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `pack` packed; for a safetensors file from elsewhere, its tensors alone.

    Raises:
        DamagedError: it is no safetensors file, or not as it was written.
    """
    try:
        tensors = safetensors.load(data)
        # The file: 8 bytes that hold the header's length, the header as JSON, the numbers.
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__")
        if not metadata or "dlproj" not in metadata:
            return tensors, {}
        packed = json.loads(metadata["dlproj"])
        about, digest = packed["about"], packed["sha256"]
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError):
        raise DamagedError("not a safetensors file, or damaged") from None
    if _digest(tensors, about) != digest:
        raise DamagedError("damaged: its checksum does not match")
    return tensors, about


def _digest(tensors: dict[str, Tensor], about: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    # Types and shapes too: the same bytes may be read as other numbers.
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def pack_model(model: nn.Module, about: dict[str, Any]) -> bytes:
    """Weights, with what is needed to make the network again.

    Args:
        model: a network of `dlproj.models`.
        about: further JSON values to keep with it, such as its labels.
    """
    described = {"network": type(model).__name__, "arguments": model.arguments, **about}
    return pack(model.state_dict(), described)

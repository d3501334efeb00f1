"""Trainings and models as bytes: safetensors with a checksum, never a pickle."""

import hashlib
import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn
from torch.amp import GradScaler

from dlproj.errors import DlprojError
from dlproj.training.loop import Training


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
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def pack_training(training: Training, *, records: str = "") -> bytes:
    """Weights, optimiser, schedule, position and random state; and what identifies the records."""
    tensors: dict[str, Tensor] = {}
    state = {
        "model": training.model.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "schedule": training.schedule.state_dict(),
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "scaler": training.scaler.state_dict(),
        "step": training.step,
        "seconds": training.seconds,
    }
    return pack(tensors, {"state": _take_tensors(state, tensors), "records": records})


def unpack_training(data: bytes, training: Training) -> str:
    """Put a training where it was when `pack_training` took it. Returns what it was given.

    Raises:
        DamagedError: the checkpoint is damaged or belongs to another network.
    """
    tensors, about = unpack(data)
    try:
        state = _put_tensors(about["state"], tensors)
        training.model.load_state_dict(state["model"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.schedule.load_state_dict(state["schedule"])
        if state["scaler"]:
            training.scaler = GradScaler(next(training.model.parameters()).device.type)
            training.scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["rng"])
        if state["cuda_rng"]:
            torch.cuda.set_rng_state_all(state["cuda_rng"])
        training.step, training.seconds = state["step"], state["seconds"]
        return str(about["records"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())  # torch writes lists
        raise DamagedError(f"does not fit this run ({reason})") from None


def _take_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A nested state as JSON values; its tensors move to `tensors`."""
    match value:
        case Tensor():
            name = f"{len(tensors):05d}"
            tensors[name] = value
            return {"tensor": name}
        case dict():  # as pairs, because JSON has no integer keys
            return {"dict": [[key, _take_tensors(item, tensors)] for key, item in value.items()]}
        case list() | tuple():
            return [_take_tensors(item, tensors) for item in value]
    return value


def _put_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The nested state that `_take_tensors` took apart."""
    match value:
        case {"tensor": name}:
            return tensors[name]
        case {"dict": pairs}:
            return {key: _put_tensors(item, tensors) for key, item in pairs}
        case list():
            return [_put_tensors(item, tensors) for item in value]
    return value


def pack_model(model: nn.Module, about: dict[str, Any]) -> bytes:
    """Weights, with what is needed to make the network again.

    Args:
        model: a network of `dlproj.models`.
        about: further JSON values to keep with it, such as its labels.
    """
    described = {"network": type(model).__name__, "arguments": model.arguments, **about}
    return pack(model.state_dict(), described)

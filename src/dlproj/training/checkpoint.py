"""A training as bytes, to go on from: its weights, optimiser, schedule and random state."""

from typing import Any

import torch
from torch import Tensor
from torch.amp import GradScaler
from torch.optim import Optimizer

from dlproj.store.weights import DamagedError, pack, unpack
from dlproj.training.loop import Training


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
        _lay_out(training.optimizer)
        training.schedule.load_state_dict(state["schedule"])
        # Empty but in fp16, whose scaler `fit` makes with the first step.
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


def _lay_out(optimizer: Optimizer) -> None:
    """Put what an optimiser keeps of its weights into their order in memory.

    Files hold rows; fused kernels go through both from start to end.
    """
    for weights, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, Tensor) and value.shape == weights.shape:
                kept[name] = torch.empty_like(weights, dtype=value.dtype).copy_(value)


def _take_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A nested state as JSON values; its tensors move to `tensors`."""
    match value:
        case Tensor():
            # A number will do: the nested state says where each tensor belongs.
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

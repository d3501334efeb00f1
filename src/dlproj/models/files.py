"""Trained networks from files."""

import io
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from dlproj.errors import DlprojError
from dlproj.limits import file_in, read_limited
from dlproj.models.catalogue import BY_NAME, TRAINED_BY, Reads
from dlproj.models.digits import LeNet
from dlproj.store.nibbles import from_nibbles
from dlproj.store.weights import DamagedError, unpack

SHIPPED = Path(__file__).parents[1] / "trained"
FACTORIES = {torch.empty, torch.ones, torch.randn, torch.zeros}  # what networks are made with
MAX_BYTES = 200_000_000
DIGITS, LANGID = SHIPPED / "digits.safetensors", SHIPPED / "langid.safetensors"
PICTURES = SHIPPED / "pictures.safetensors"


def load_model(path: Path, reads: Reads | None = None) -> tuple[nn.Module, dict[str, Any]]:
    """A network in evaluation mode, and what was noted beside its weights.

    Args:
        path: a run directory, its `model.safetensors`, or a `.pt` file of the course's LeNet: a
            state dict, which is read without running any code that a pickle may hold.
        reads: what the network has to read; None where that does not matter.

    Raises:
        DlprojError: the file is absent or damaged, or its network is not known here, or reads
            something else.
    """
    model, about = _load(path)
    entry = BY_NAME[about["network"]]
    if reads not in {None, entry.reads}:
        raise DlprojError(
            f"--model {path}: holds a {entry.name}, which reads {entry.reads}; one that reads "
            f"{reads} is needed, as {TRAINED_BY[reads]} makes it"
        )
    return model, about


def _load(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    if path.is_dir():
        path = file_in(path, "model.safetensors")
    try:
        if path.suffix == ".pt":
            return _load_lenet(path), {"network": "LeNet", "labels": [*"0123456789"]}
        tensors, about = unpack(read_limited(path, MAX_BYTES))
    except OSError as error:
        raise DlprojError(f"{path}: {error.strerror}") from None
    except DamagedError as error:
        raise DlprojError(f"{path}: {error}") from None
    try:
        network, arguments = BY_NAME[about["network"]].network, dict(about["arguments"])
        for name, how in about.pop("nibbles", {}).items():
            tensors[name] = from_nibbles(tensors[name], **how)
        # Every layer has tensors. More layers than tensors would be made for ever, one by one.
        if arguments.get("layers", 1) > len(tensors):
            raise ValueError
        with _Room(sum(tensor.numel() for tensor in tensors.values())):
            model = network(**arguments)
        model.load_state_dict(tensors)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError):
        raise DlprojError(f"{path}: holds no network that dlproj made") from None
    if not all(weights.isfinite().all() for weights in model.state_dict().values()):
        raise DlprojError(f"{path}: holds weights that are not finite numbers")
    return model.eval(), about


class _Room(TorchFunctionMode):
    """Refuses to make tensors of more numbers than a file holds, whatever its arguments promise.

    The meta device would do it too, but it imports torch's compiler.

    Args:
        numbers: in the file.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.left = numbers

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Count what is made, before it is made."""
        # Called with a shape, or with its sizes one by one.
        if func in FACTORIES:
            self.left -= math.prod(args[0] if isinstance(args[0], Sequence) else args)
            if self.left < 0:
                raise ValueError("larger than its file")
        return func(*args, **(kwargs or {}))


def _load_lenet(path: Path) -> nn.Module:
    model, data = LeNet(), io.BytesIO(read_limited(path, MAX_BYTES))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about what a damaged file seems to be
            model.load_state_dict(torch.load(data, map_location="cpu", weights_only=True))
    except Exception:  # torch's reader of damaged files raises whatever it stumbles over
        raise DlprojError(f"{path}: not the weights of the course's LeNet") from None
    return model.eval()

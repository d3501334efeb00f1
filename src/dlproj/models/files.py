"""Trained networks from files."""

import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dlproj.errors import DlprojError
from dlproj.limits import read_limited
from dlproj.models.digits import DeepCNN, DigitCNN, FastCNN, LeNet, RobustCNN
from dlproj.models.langid import CharGRU, NgramBag
from dlproj.models.regression import CurveMLP
from dlproj.store.weights import DamagedError, unpack

NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network
    for network in (DeepCNN, DigitCNN, FastCNN, RobustCNN, LeNet, CurveMLP, CharGRU, NgramBag)
}
SHIPPED = Path(__file__).parents[1] / "trained"
MAX_BYTES = 200_000_000
DIGITS, LANGID = SHIPPED / "digits.safetensors", SHIPPED / "langid.safetensors"
PICTURES = SHIPPED / "pictures.safetensors"


def load_model(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """A network in evaluation mode, and what was noted beside its weights.

    Args:
        path: a run directory, its `model.safetensors`, or a `.pt` file of the course's LeNet: a
            state dict, which is read without running any code that a pickle may hold.

    Raises:
        DlprojError: the file is absent or damaged, or its network is not known here.
    """
    if path.is_dir():
        path = path / "model.safetensors"
    try:
        if path.suffix == ".pt":
            return _load_lenet(path), {}
        tensors, about = unpack(read_limited(path, MAX_BYTES))
    except OSError as error:
        raise DlprojError(f"{path}: {error.strerror}") from None
    except DamagedError as error:
        raise DlprojError(f"{path}: {error}") from None
    try:
        network, arguments = NETWORKS[about["network"]], dict(about["arguments"])
        if arguments.get("layers", 1) > len(tensors):
            raise ValueError
        with torch.device("meta"):  # without memory: the arguments may promise any size
            network(**arguments).load_state_dict(tensors, assign=True)
        model = network(**arguments)
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise DlprojError(f"{path}: holds no network that dlproj made") from None
    if not all(weights.isfinite().all() for weights in model.state_dict().values()):
        raise DlprojError(f"{path}: holds weights that are not finite numbers")
    return model.eval(), about


def _load_lenet(path: Path) -> nn.Module:
    model, data = LeNet(), io.BytesIO(read_limited(path, MAX_BYTES))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about what a damaged file seems to be
            model.load_state_dict(torch.load(data, map_location="cpu", weights_only=True))
    except Exception:  # torch's reader of damaged files raises whatever it stumbles over
        raise DlprojError(f"{path}: not the weights of the course's LeNet") from None
    return model.eval()

"""Networks as lists of layers that the page of `dlproj demo` can compute.

A digit network is columns of layers, each of which looks at the image in some places, as DeepCNN's
do: `{"columns": [[{"kind": "conv2d", "weight": name, …}, …]], "looks": [[0, 0], …]}`,
where names are those of tensors beside it. A language network is its sizes and its tensors.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.errors import DlprojError
from dlproj.models.digits import (
    CROSS,
    MNIST_DEVIATION,
    MNIST_MEAN,
    SQUARE,
    DeepCNN,
    DeeperCNN,
    DigitCNN,
    FastCNN,
    RobustCNN,
)
from dlproj.models.langid import CharGRU
from dlproj.models.ngrams import COUNTED, NgramBag

Layer = dict[str, Any]
Tensors = dict[str, Tensor]
Described = tuple[dict[str, Any], Tensors]

NORMALISE: Layer = {"kind": "normalise", "mean": MNIST_MEAN, "deviation": MNIST_DEVIATION}
RELU: Layer = {"kind": "relu"}
POOL: Layer = {"kind": "maxpool", "side": 2}


def describe_digits(model: nn.Module) -> Described:
    """A digit network as layers, and its tensors.

    Raises:
        DlprojError: it is of a kind that the page cannot compute.
    """
    for kind, layers_of in DIGITS.items():
        if isinstance(model, kind):
            columns, looks = layers_of(model)
            break
    else:
        raise DlprojError(f"the page cannot compute a {type(model).__name__}")
    tensors: Tensors = {}
    named = [[_name(layer, tensors) for layer in layers] for layers in columns]
    return {"kind": type(model).__name__, "columns": named, "looks": looks}, tensors


def _name(layer: Layer, tensors: Tensors) -> Layer:
    """A layer with names in place of its tensors, which are put beside it."""
    named = dict(layer)
    for key, value in layer.items():
        if isinstance(value, Tensor):
            named[key] = f"t{len(tensors)}"
            tensors[named[key]] = value
    return named


def _conv(layer: nn.Conv2d, name: str) -> Layer:
    return _filters(layer.weight, layer.bias, name, layer.stride[0], int(layer.padding[0]))


def _filters(weight: Tensor, bias: Tensor | None, name: str, stride: int, padding: int) -> Layer:
    side, outputs = weight.shape[2], weight.shape[0]
    sizes = {"outputs": outputs, "side": side, "stride": stride, "padding": padding}
    return {"kind": "conv2d", "name": name, "weight": weight, "bias": bias, **sizes}


def _norm(layer: nn.Module) -> list[Layer]:
    """BatchNorm as the scale and shift that it is once trained; nothing where there is none."""
    if not isinstance(layer, nn.BatchNorm2d):
        return []
    assert layer.running_mean is not None  # noqa: S101 - torch's type is wider
    assert layer.running_var is not None  # noqa: S101
    scale = layer.weight / (layer.running_var + layer.eps).sqrt()
    return [{"kind": "affine", "scale": scale, "shift": layer.bias - layer.running_mean * scale}]


def _linear(layer: nn.Linear, name: str, weight: Tensor | None = None) -> Layer:
    weight = layer.weight if weight is None else weight
    return {"kind": "linear", "name": name, "weight": weight, "bias": layer.bias}


def _looks(places: Iterable[tuple[int, int]]) -> list[list[int]]:
    """How far the image is moved, down and to the right, for each place (1, 1 is not at all)."""
    return [[1 - y, 1 - x] for y, x in places]


def _digit_cnn(net: Any) -> tuple[list[list[Layer]], list[list[int]]]:
    layers = [
        NORMALISE,
        _conv(net.conv1, "conv1"),
        *_norm(net.norm1),
        RELU,
        _conv(net.conv2, "conv2"),
        *_norm(net.norm2),
        POOL,
        RELU,
        _conv(net.conv3, "conv3"),
        *_norm(net.norm3),
        POOL,
        RELU,
        _linear(net.hidden, "hidden"),
        RELU,
        _linear(net.output, "output"),
    ]
    return [layers], [[0, 0]]


def _fast_cnn(net: Any) -> tuple[list[list[Layer]], list[list[int]]]:
    # Its last layer has channels last; the page has them first.
    weight = net.output.weight.view(-1, 25, 32).mT.flatten(1)
    layers = [
        NORMALISE,
        _filters(net.cosines, None, "cosines", 2, 0),
        RELU,
        _conv(net.conv, "conv"),
        POOL,
        *_norm(net.norm),
        RELU,
        _linear(net.output, "output", weight),
    ]
    return [layers], _looks(CROSS)


def _columns(net: Any) -> tuple[list[list[Layer]], list[list[int]]]:
    columns = []
    for column in net.columns:
        layers, convolutions = [NORMALISE], 0
        for module in (module for block in column.features for module in block):
            match module:
                case nn.Conv2d():
                    convolutions += 1
                    layers.append(_conv(module, f"conv{convolutions}"))
                case nn.MaxPool2d():
                    layers.append(POOL)
                case nn.ReLU():
                    layers.append(RELU)
                case _:
                    layers += _norm(module)
        columns.append([*layers, _linear(column.output, "output")])
    return columns, _looks(SQUARE)


def _robust_cnn(net: Any) -> tuple[list[list[Layer]], list[list[int]]]:
    slope, threshold = net.slope.item(), net.threshold.item()
    layers = [
        {"kind": "sigmoid", "name": "threshold", "slope": slope, "threshold": threshold},
        _conv(net.conv1, "conv1"),
        RELU,
        _conv(net.conv2, "conv2"),
        RELU,
        *([_conv(net.conv3, "conv3"), RELU] if isinstance(net.conv3, nn.Conv2d) else []),
        _linear(net.hidden, "hidden"),
        RELU,
        _linear(net.output, "output"),
    ]
    return [layers], [[0, 0]]


DIGITS: dict[type[nn.Module], Callable[[Any], tuple[list[list[Layer]], list[list[int]]]]] = {
    DigitCNN: _digit_cnn,
    FastCNN: _fast_cnn,
    DeepCNN: _columns,
    DeeperCNN: _columns,
    RobustCNN: _robust_cnn,
}


def describe_languages(model: nn.Module) -> Described:
    """A network of words as its sizes, and its tensors.

    Raises:
        DlprojError: it is of a kind that the page cannot compute.
    """
    if isinstance(model, CharGRU):
        if model.variation:
            flags = " ".join(f"--{name} {value}" for name, value in model.variation.items())
            raise DlprojError(f"the page cannot compute a network trained with {flags}")
        sizes = {name: model.arguments[name] for name in ("layers", "bidirectional")}
        tensors = dict(model.recurrent.named_parameters())
        output = {"outputWeight": model.output.weight, "outputBias": model.output.bias}
        return {"kind": "CharGRU", **sizes}, tensors | output
    if isinstance(model, NgramBag):
        return _ngram_bag(model)
    raise DlprojError(f"the page cannot compute a {type(model).__name__}")


def _ngram_bag(model: Any) -> Described:
    sizes = {name: getattr(model, name) for name in ("letters", "classes", "longest", "apart")}
    bits = {"tableBits": model.buckets.bit_length() - 1, "slotBits": model.slots.bit_length() - 1}
    heart: Tensors = {}
    if model.known_slots:  # some words are known by heart
        bits["knownBits"] = model.known_slots.bit_length() - 1
        heart = {
            "known": model.known,
            "knownMarks": model.known_marks,
            "temperature": model.temperature,
        }
    norm, hidden, output = model.classify[0], model.classify[2], model.classify[5]
    about = {"kind": "NgramBag", "width": model.table.shape[1], "share": COUNTED, **sizes, **bits}
    return about, {
        "table": model.table,
        "marks": model.marks,
        "logOdds": model.log_odds,
        "normScale": norm.weight,
        "normShift": norm.bias,
        "hiddenWeight": hidden.weight,
        "hiddenBias": hidden.bias,
        "outputWeight": output.weight,
        "outputBias": output.bias,
        **heart,
    }


def shortened(model: nn.Module) -> nn.Module:
    """A copy of the network; an n-gram bag's tables are rounded to few levels, which zip well."""
    copy = deepcopy(model)
    if isinstance(copy, NgramBag):
        copy.shorten()
    return copy


def rounded(model: nn.Module, round_tensor: Callable[[Tensor], Tensor]) -> nn.Module:
    """A copy of the network with every weight rounded."""
    copy = deepcopy(model)
    with torch.no_grad():
        for weights in (*copy.parameters(), *copy.buffers()):
            if weights.is_floating_point():
                weights.copy_(round_tensor(weights))
    return copy

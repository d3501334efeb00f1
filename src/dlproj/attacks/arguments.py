"""What an attack is called with, checked in one place, and what it gives back."""

import copy
import functools
import inspect
import operator
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Real
from typing import Any, ParamSpec

import torch
from torch import Tensor, nn

from dlproj.attacks.classifier import Classifier
from dlproj.attacks.flatness import warning_of
from dlproj.attacks.frozen import frozen
from dlproj.epsilon import check_epsilon
from dlproj.errors import CallError, DlprojError, UsageError

P = ParamSpec("P")

NORMS = ("linf", "l2")
LOSSES = ("ce", "dlr")
COUNTS = ("steps", "restarts", "queries", "targets")  # whole numbers from 1 on
SWITCHES = ("targeted", "random_start", "rescale")


def checked(attack: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """An attack whose arguments are checked before it starts, and its images afterwards.

    It runs with gradients, also where the caller has switched them off, and in single precision or
    more, also on images in half precision. The model is held still. Called by another attack, it
    takes over what that one has checked.
    """
    signature = inspect.signature(attack)

    @functools.wraps(attack)
    def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            names = ", ".join(signature.parameters)
            raise CallError(f"{attack.__name__}: {error}; it takes {names}") from None
        if isinstance(given["model"], Classifier):
            return attack(*args, **kwargs)
        model, images, labels = (given.pop(name) for name in ("model", "images", "labels"))
        check_options(given)
        check_images(images)
        with torch.inference_mode(False), torch.enable_grad():
            classifier = Classifier(_usable(model), images, _labels(labels, images))
            with frozen(classifier.model):
                made = attack(classifier, classifier.images, classifier.labels, **given)  # type: ignore[arg-type]
            if classifier.faulty:
                raise DlprojError(NO_NUMBER)
            if weakness := _weakness(attack.__name__, classifier, given):
                warnings.warn(weakness, stacklevel=2)
            return _result(made, images)

    return call


PROBABILITIES = (
    "the model's outputs are probabilities (they sum to one), which weaken an attack: let it "
    "return logits, without the softmax"
)
NO_NUMBER = "the model's gradient by the images is not a number everywhere"
MANY_SIDED = {"ensemble", "autoattack"}  # which do not rely on one gradient


def _weakness(attack: str, classifier: Classifier, given: dict[str, Any]) -> str | None:
    """Why the network may be less robust than the attack has it seem."""
    if classifier.gives_probabilities:
        return PROBABILITIES
    targeted = given.get("targeted", False)
    # DLR does not change towards a class in the third place, whatever the network is.
    if attack in MANY_SIDED or (targeted and given.get("loss") == "dlr"):
        return None
    return warning_of(classifier.first_look, classifier.labels, targeted=targeted)


def check_options(given: dict[str, Any]) -> None:
    """Check the keywords of an attack that were given.

    Raises:
        UsageError: one is of the wrong kind or out of its range.
    """
    norm = given.get("norm", NORMS[0])
    for name, value in given.items():
        if name == "epsilon":
            given[name] = _epsilon(name, value, norm)
        elif name == "epsilons":
            given[name] = _epsilons(value, norm)
        elif name in COUNTS:
            given[name] = _count(name, value)
        elif name == "step_size" and value is not None:
            given[name] = _number(name, value)
            if not 0 < given[name] < float("inf"):
                raise UsageError(f"step_size must be a finite number above 0, not {value!r}")
        elif name in {"decay", "overshoot"}:
            given[name] = _number(name, value)
            if not 0 <= given[name] < float("inf"):
                raise UsageError(f"{name} must be a finite number from 0 on, not {value!r}")
        elif name in SWITCHES and not isinstance(value, bool):
            raise UsageError(f"{name} must be True or False, not {value!r}")
    _one_of("norm", norm, NORMS)
    _one_of("loss", given.get("loss", LOSSES[0]), LOSSES)
    _check_objects(given.get("generator"), given.get("tally"))


def check_images(images: Any) -> None:
    """Whether these are images as every attack takes them.

    Raises:
        UsageError: they are not; the message says what they are, and what would be right.
    """
    if not isinstance(images, Tensor):
        raise UsageError(f"images must be a torch.Tensor, not {_kind(images)}: torch.as_tensor")
    if images.layout != torch.strided or images.is_meta:
        raise UsageError("images must be a dense tensor with its values in memory")
    if not images.is_floating_point():
        raise UsageError(
            f"images must be floating-point numbers in [0, 1], not {_name(images.dtype)}: "
            "bytes become that by images / 255"
        )
    if images.element_size() < 2:
        raise UsageError(f"images must have 16 bits or more, not {_name(images.dtype)}")
    if images.ndim < 2 or not images.numel():
        raise UsageError(f"images must be (batch, ...) with a pixel or more, not {_shape(images)}")
    low, high = (float(bound) for bound in images.detach().aminmax())
    # Written so that NaN, which is neither more nor less, is refused too.
    if not (low >= 0 and high <= 1):
        raise UsageError(
            f"images must be in [0, 1], not in [{low:.3g}, {high:.3g}]: divide bytes by 255, and "
            "let the model itself normalise its input"
        )


def require_pictures(images: Tensor, attack: str) -> None:
    """Whether images have the height and width that an attack needs.

    Raises:
        UsageError: they are not (batch, channels, height, width).
    """
    if images.ndim != 4:
        raise UsageError(
            f"{attack} needs images (batch, channels, height, width), not {_shape(images)}"
        )


def _labels(labels: Any, images: Tensor) -> Tensor:
    """Labels (batch,), as torch's losses take them: 64 bits, where the images are."""
    if not isinstance(labels, Tensor):
        raise UsageError(f"labels must be a torch.Tensor, not {_kind(labels)}: torch.as_tensor")
    if labels.ndim == 2 and len(labels) == len(images):
        # In a single column argmax would find 0 everywhere.
        column = "one column becomes that by labels[:, 0]"
        one_hot = "one-hot labels become that by labels.argmax(1)"
        raise UsageError(
            f"labels must be (batch,), a class for each image, not {_shape(labels)}: "
            f"{column if labels.shape[1] == 1 else one_hot}"
        )
    if labels.shape != images.shape[:1]:
        raise UsageError(
            f"labels must be ({len(images)},), a class for each image, not {_shape(labels)}"
        )
    # True and False are no classes: they are mostly a comparison where labels were meant.
    whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    if not whole or labels.is_quantized or labels.layout != torch.strided or labels.is_meta:
        raise UsageError(f"labels must be integers, not {_name(labels.dtype)}: labels.long()")
    labels = labels.detach().to(images.device, torch.long, copy=labels.is_inference())
    if labels.min() < 0:
        raise UsageError(f"labels must be classes from 0 on, not {int(labels.min())}")
    return labels


def check_model(model: Any) -> None:
    """Whether it is a network.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(f"model must be a torch.nn.Module, not {_kind(model)}")


def _usable(model: Any) -> nn.Module:
    """The model, or where its weights were made in inference mode, a copy that has gradients."""
    check_model(model)
    made_so = any(part.is_inference() for part in chain(model.parameters(), model.buffers()))
    return copy.deepcopy(model) if made_so else model


def _result(made: Tensor, images: Tensor) -> Tensor:
    """What an attack made, detached and in the precision of the images.

    Raises:
        DlprojError: it holds what is no number.
    """
    low, high = (float(bound) for bound in made.aminmax())
    if not (low >= 0 and high <= 1):
        raise DlprojError(NO_NUMBER)
    return made.detach().to(images.dtype)


def _epsilon(name: str, value: Any, norm: Any) -> float:
    value = _number(name, value)
    check_epsilon(name, value, norm)
    return value


def _epsilons(values: Any, norm: Any) -> list[float]:
    if isinstance(values, Tensor):
        values = values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UsageError(f"epsilons must be one number or more, as in [0.1, 0.2], not {values!r}")
    return [_epsilon("each of epsilons", value, norm) for value in values]


def _number(name: str, value: Any) -> float:
    if isinstance(value, Tensor) and value.ndim == 0 and value.dtype != torch.bool:
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, bool):
        raise UsageError(f"{name} must be one number, such as 8 / 255, not {_shown(value)}")
    return float(value)


def _count(name: str, value: Any) -> int:
    try:
        # Whole numbers of numpy and torch have an index, and 2.0 has none.
        count = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise UsageError(f"{name} must be a whole number from 1 on, not {_shown(value)}")
    return count


def _one_of(name: str, value: Any, known: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in known:
        raise UsageError(f"{name} must be {' or '.join(map(repr, known))}, not {_shown(value)}")


def _check_objects(generator: Any, tally: Any) -> None:
    if not isinstance(generator, torch.Generator | None):
        raise UsageError(f"generator must be a torch.Generator, not {_kind(generator)}")
    if generator is not None and generator.device.type != "cpu":
        raise UsageError("generator must be one of the CPU, wherever the images are")
    if not isinstance(tally, Counter | None):
        raise UsageError(f"tally must be a collections.Counter, not {_kind(tally)}")


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

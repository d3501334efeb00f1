"""Each line that says what is wrong with a call of an attack, in full."""

from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dlproj

IMAGES = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 0])


def network(classes: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, classes))


class Gives(nn.Module):
    """A network with the outputs that a function makes of its logits."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.network, self.function = network(), function

    def forward(self, images: Tensor) -> Any:
        return self.function(self.network(images))


class Broken(nn.Module):
    def __init__(self, *said: object) -> None:
        super().__init__()
        self.said = said

    def forward(self, images: Tensor) -> Tensor:
        raise ValueError(*self.said)


MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "images of an array": (
        {"images": IMAGES.numpy()},
        "images must be a torch.Tensor, not numpy.ndarray: torch.as_tensor",
    ),
    "sparse": (
        {"images": IMAGES.to_sparse()},
        "images must be a dense tensor with its values in memory",
    ),
    "without values": (
        {"images": IMAGES.to("meta")},
        "images must be a dense tensor with its values in memory",
    ),
    "bytes": (
        {"images": (255 * IMAGES).byte()},
        (
            "images must be floating-point numbers in [0, 1], not uint8: bytes become that by "
            "images / 255"
        ),
    ),
    "eight bits": (
        {"images": IMAGES.to(torch.float8_e5m2)},
        "images must have 16 bits or more, not float8_e5m2",
    ),
    "no batch": (
        {"images": IMAGES.flatten()},
        "images must be (batch, ...) with a pixel or more, not (180,)",
    ),
    "beyond 1": (
        {"images": torch.tensor([[0.25, 1.5]])},
        (
            "images must be in [0, 1], not in [0.25, 1.5]: divide bytes by 255, and let the model "
            "itself normalise its input"
        ),
    ),
    "labels of a list": (
        {"labels": [0, 1, 2, 3, 0]},
        "labels must be a torch.Tensor, not list: torch.as_tensor",
    ),
    "one-hot": (
        {"labels": torch.eye(4)[LABELS]},
        (
            "labels must be (batch,), a class for each image, not (5, 4): one-hot labels become "
            "that by labels.argmax(1)"
        ),
    ),
    "a column": (
        {"labels": LABELS[:, None]},
        (
            "labels must be (batch,), a class for each image, not (5, 1): one column becomes that "
            "by labels[:, 0]"
        ),
    ),
    "short": (
        {"labels": LABELS[:4]},
        "labels must be (5,), a class for each image, not (4,)",
    ),
    "of two dimensions": (
        {"labels": LABELS[:4, None]},
        "labels must be (5,), a class for each image, not (4, 1)",
    ),
    "floating": ({"labels": LABELS.half()}, "labels must be integers, not float16: labels.long()"),
    "truths": ({"labels": LABELS > 0}, "labels must be integers, not bool: labels.long()"),
    "below 0": ({"labels": LABELS - 2}, "labels must be classes from 0 on, not -2"),
    "above": (
        {"labels": LABELS + 1},
        "labels must be below 4, the classes that the model knows, not 4",
    ),
    "no network": ({"model": 3}, "model must be a torch.nn.Module, not int"),
    "another precision": (
        {"images": IMAGES.double()},
        (
            "the model does not take images (5, 1, 6, 6) of torch.float64: its weights are "
            "torch.float32, images.to(torch.float32)"
        ),
    ),
    "another size": (
        {"model": Broken(" too small\nand more")},
        "the model does not take images (5, 1, 6, 6) of torch.float32: too small",
    ),
    "without a word": (
        {"model": Broken()},
        "the model does not take images (5, 1, 6, 6) of torch.float32: ValueError",
    ),
    "a pair": (
        {"model": Gives(lambda logits: (logits, logits))},
        "the model must return a tensor of logits (batch, classes), not tuple",
    ),
    "classes": (
        {"model": Gives(lambda logits: logits.argmax(1))},
        "the model must return a tensor of logits (batch, classes), not torch.int64",
    ),
    "one output": (
        {"model": Gives(lambda logits: logits[:, 0])},
        (
            "the model has a single output, and an attack needs a logit for each of two classes or "
            "more: return torch.stack([-z, z], 1) of its output z"
        ),
    ),
    "too few logits": (
        {"model": Gives(lambda logits: logits[:2])},
        "the model must return logits (5, classes), not (2, 4)",
    ),
    "no class": (
        {"model": Gives(lambda logits: logits[:, :0])},
        "the model must return logits (5, classes), not (5, 0)",
    ),
    "not a number": (
        {"model": Gives(lambda logits: logits / 0 * 0)},
        "the model's logits are not numbers: look at its weights",
    ),
    "detached": (
        {"model": Gives(lambda logits: logits.detach())},
        (
            "the model's logits have no gradient by the images (it detaches them, or computes "
            "under no_grad): square is the attack that needs none"
        ),
    ),
    "norm": ({"norm": "l1"}, "norm must be 'linf' or 'l2', not 'l1'"),
    "long norm": ({"norm": "x" * 70}, f"norm must be 'linf' or 'l2', not '{'x' * 59}…"),
    "targeted": ({"targeted": 1}, "targeted must be True or False, not 1"),
    "epsilon": ({"epsilon": True}, "epsilon must be one number, such as 8 / 255, not True"),
    "a truth of torch": (
        {"epsilon": torch.tensor(True)},
        "epsilon must be one number, such as 8 / 255, not tensor(True)",
    ),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_wrong_call_is_refused_in_these_words(kind: str) -> None:
    changes, message = MESSAGES[kind]
    right = {"model": network(), "images": IMAGES, "labels": LABELS, "epsilon": 0.1}
    with pytest.raises(dlproj.UsageError) as refusal:
        dlproj.fgsm(**{**right, **changes})
    assert str(refusal.value) == message


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"steps": 0}, "steps must be a whole number from 1 on, not 0"),
    ({"restarts": False}, "restarts must be a whole number from 1 on, not False"),
    ({"random_start": "no"}, "random_start must be True or False, not 'no'"),
    ({"step_size": -1}, "step_size must be a finite number above 0, not -1"),
    ({"step_size": float("inf")}, "step_size must be a finite number above 0, not inf"),
    ({"generator": 3}, "generator must be a torch.Generator, not int"),
]


@pytest.mark.parametrize(("options", "message"), OPTIONS)
def test_a_wrong_option_is_refused_in_these_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(dlproj.UsageError) as refusal:
        dlproj.pgd(network(), IMAGES, LABELS, epsilon=0.1, **options)
    assert str(refusal.value) == message


@pytest.mark.parametrize("kind", [np.float32, np.float64, torch.tensor, Fraction])
def test_numbers_of_other_libraries_are_numbers(kind: Any) -> None:
    """0.25 is the same in all of them."""
    climb = partial(dlproj.pgd, network(), IMAGES, LABELS, random_start=False)
    expected = climb(epsilon=0.25, step_size=0.125, steps=2)
    counts: list[Any] = [np.int64(2), np.uint8(2), torch.tensor(2)]
    for steps in counts:
        made = climb(epsilon=kind(0.25), step_size=kind(0.125), steps=steps)
        assert torch.equal(made, expected)
    for attack, name in ((dlproj.mifgsm, "decay"), (dlproj.deepfool, "overshoot")):
        given: list[dict[str, Any]] = [{name: half} for half in (0.5, kind(0.5))]
        one, other = (
            attack(network(), IMAGES, LABELS, epsilon=0.25, steps=2, **options) for options in given
        )
        assert torch.equal(one, other)
    (swept,) = dlproj.fgsm_sweep(network(), IMAGES, LABELS, epsilons=[kind(0.25)])
    assert torch.equal(swept, dlproj.fgsm(network(), IMAGES, LABELS, epsilon=0.25))
    with pytest.raises(dlproj.UsageError, match="steps must be a whole number from 1 on"):
        climb(epsilon=0.25, steps=kind(2.0))


def test_a_missing_argument_is_named_with_those_there_are() -> None:
    with pytest.raises(TypeError) as refusal:
        dlproj.fgsm(network(), IMAGES, LABELS)  # type: ignore[call-arg]
    # Python's own words, to which 3.13 adds some.
    assert str(refusal.value).replace("keyword-only ", "") == (
        "fgsm: missing a required argument: 'epsilon'; it takes model, images, labels, epsilon, "
        "norm, targeted"
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("attack", ["fgsm", "bim", "pgd", "mifgsm", "apgd", "deepfool", "fab"])
def test_a_gradient_that_is_no_number_ends_an_attack(attack: str, norm: str) -> None:
    model = Gives(lambda logits: logits + 0 * (logits - logits.detach()).sqrt())  # 0 times infinity
    with pytest.raises(dlproj.DlprojError) as failure:
        getattr(dlproj, attack)(model, IMAGES, LABELS, epsilon=0.1, norm=norm)
    assert str(failure.value) == "the model's gradient by the images is not a number everywhere"


def test_a_decay_or_an_epsilon_of_the_wrong_kind() -> None:
    with pytest.raises(dlproj.UsageError) as refusal:
        dlproj.mifgsm(network(), IMAGES, LABELS, epsilon=0.1, decay=float("inf"))
    assert str(refusal.value) == "decay must be a finite number from 0 on, not inf"
    with pytest.raises(dlproj.UsageError) as refusal:
        dlproj.fgsm_sweep(network(), IMAGES, LABELS, epsilons="12")  # type: ignore[arg-type]
    assert str(refusal.value) == ("epsilons must be one number or more, as in [0.1, 0.2], not '12'")
    with pytest.raises(dlproj.UsageError) as refusal:
        dlproj.ensemble(network(), IMAGES, LABELS, epsilon=0.1, tally=[])  # type: ignore[arg-type]
    assert str(refusal.value) == "tally must be a collections.Counter, not list"


FOLLOWING = (
    *("fgsm", "bim", "mifgsm", "pgd", "apgd", "apgd_targeted"),
    *("fab", "fab_targeted", "deepfool", "ensemble", "autoattack"),
)


@pytest.mark.parametrize("attack", FOLLOWING)
def test_a_model_that_cuts_the_way_to_the_images_is_refused(attack: str) -> None:
    """Its weights are no parameters of it, so that its logits have a gradient by those."""
    inner = network()

    class Cutting(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = inner((images > 0.5).float())
            return logits

    labels = inner((IMAGES > 0.5).float()).argmax(1)  # read rightly, so that there is work to do
    with pytest.raises(dlproj.UsageError) as refusal:
        getattr(dlproj, attack)(Cutting(), IMAGES, labels, epsilon=0.1)
    assert str(refusal.value) == MESSAGES["detached"][1]

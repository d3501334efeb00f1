"""What an attack warns of: a gradient of zero, and only where it is."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import dlproj as library
from dlproj.attacks.flatness import untold
from dlproj.models.files import DIGITS, load_model
from tests.conftest import Dlproj

IMAGES = torch.rand(20, 1, 6, 6, generator=torch.Generator().manual_seed(0))
ON_CROSS_ENTROPY = ("fgsm", "bim", "mifgsm", "pgd", "apgd")
ON_LOGITS = ("apgd_targeted", "fab", "fab_targeted", "deepfool")


class Changed(nn.Module):
    """A network, with the logits that a function makes of it and the images."""

    def __init__(self, function: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network, self.function = nn.Sequential(nn.Flatten(), nn.Linear(36, 4)), function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(self.network, images)


PLAIN = Changed(lambda network, images: network(images))
ROUNDED = Changed(lambda network, images: network((images * 255).round() / 255))
SATURATED = Changed(lambda network, images: network(images) * 1e5)


def warned_of(attack: str, model: nn.Module, labels: Tensor | None = None, **options: bool) -> str:
    """All that an attack of the images warns of, for labels that are read rightly."""
    if labels is None:
        labels = model(IMAGES).argmax(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(library, attack)(model, IMAGES, labels, epsilon=0.01, **options)
    assert all(each.filename == __file__ for each in caught)
    return "\n".join(str(each.message) for each in caught)


@pytest.mark.parametrize("attack", [*ON_CROSS_ENTROPY, *ON_LOGITS])
def test_images_whose_gradient_is_zero_are_warned_of_once(attack: str) -> None:
    expected = (
        "the gradient of 100% of the images is zero, and attacks that follow it stay where they "
        "are: try ensemble, or its parts apgd with loss='dlr' and square"
    )
    assert warned_of(attack, ROUNDED) == expected
    aims = (ROUNDED(IMAGES).argmax(1) + 1) % 4
    assert warned_of(attack, ROUNDED, aims, targeted=True) == expected
    assert warned_of(attack, PLAIN) == warned_of(attack, PLAIN, aims, targeted=True) == ""
    assert warned_of(attack, SATURATED) == (expected if attack in ON_CROSS_ENTROPY else "")
    with untold():
        assert warned_of(attack, ROUNDED) == ""


@pytest.mark.parametrize("attack", ["fgsm", "pgd", "deepfool"])
def test_half_precision_has_a_gradient_too(attack: str) -> None:
    for kind in (torch.bfloat16, torch.float16):
        model = Changed(lambda network, images: network(images)).to(kind)
        images = IMAGES.to(kind)
        getattr(library, attack)(model, images, model(images).argmax(1), epsilon=0.01)


def flat_at_first(count: int) -> Changed:
    """A network whose logits have no gradient by the first so many images."""
    first = torch.arange(20)[:, None] < count
    return Changed(
        lambda network, images: torch.where(first, network(images).detach(), network(images))
    )


def test_a_tenth_may_be_flat() -> None:
    assert warned_of("fgsm", flat_at_first(2)) == ""
    assert "the gradient of 15% of the images is zero" in warned_of("fgsm", flat_at_first(3))


def test_the_share_is_of_the_images_that_are_not_fooled_yet() -> None:
    model = flat_at_first(4)
    right = model(IMAGES).argmax(1)
    first, last = torch.arange(20) < 10, torch.arange(20) >= 10
    assert "the gradient of 40% of the images" in warned_of("fgsm", model, (right + last) % 4)
    assert warned_of("fgsm", model, (right + first) % 4) == ""
    aims = (right + last) % 4
    assert warned_of("fgsm", model, aims, targeted=True) == ""


@pytest.mark.parametrize("attack", ON_LOGITS)
def test_a_logit_that_never_changes_is_no_reason_to_warn(attack: str) -> None:
    """The lead of the others over it has a gradient."""

    def with_constant(network: nn.Module, images: Tensor) -> Tensor:
        logits: Tensor = network(images)
        return torch.cat([logits[:, :3], 0 * logits[:, 3:] + 9], dim=1)

    assert warned_of(attack, Changed(with_constant)) == ""


def test_attacks_from_many_sides_and_towards_constant_ratios_do_not_warn() -> None:
    for attack in ("ensemble", "autoattack"):
        assert warned_of(attack, ROUNDED) == ""
    aims = PLAIN(IMAGES).argsort(dim=1)[:, 1]  # third of four, where DLR is constant
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        library.apgd(PLAIN, IMAGES, aims, epsilon=0.01, loss="dlr", targeted=True)


def test_probabilities_are_warned_of_alone() -> None:
    softmax = Changed(lambda network, images: (network(images) * 1e5).softmax(1))
    assert warned_of("fgsm", softmax).startswith("the model's outputs are probabilities")
    assert "\n" not in warned_of("fgsm", softmax)


@pytest.mark.parametrize("method", ["fgsm", "pgd", "deepfool"])
def test_the_command_has_its_own_doubts_and_warns_of_nothing(
    method: str, dlproj: Dlproj, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here, a warning is an error, in the threads as well."""
    network, about = load_model(DIGITS, "digits")
    *_, last = (each for each in network.modules() if isinstance(each, nn.Linear))
    with torch.no_grad():
        last.weight *= 1e6
    monkeypatch.setattr("dlproj.experiments.attack.load_model", lambda *_: (network, about))
    few = ("--limit", 60, "--batch-size", 20, "--threads", 2)
    done = dlproj("attack", "--data", tiny, "--epsilon", 0.1, "--method", method, *few)
    assert done.code == 0, done.err
    assert done.err.count("of the images vanishes") == 1, done.err

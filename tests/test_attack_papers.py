"""Attacks against the algorithms and the numbers of their papers."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.common import (
    clip,
    direction,
    dlr,
    lengths,
    project,
    start_at_random,
    targeted_dlr,
)
from tests.support import papers
from tests.support.watched import Watched

NORMS = ("linf", "l2")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cross_entropy_slope(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy, of logits that are linear: in closed form."""
    linear: Any = model
    surplus = linear(images).softmax(1) - F.one_hot(labels, 3)
    return (surplus @ linear[1].weight).view_as(images) / len(images)


def step(gradient: Tensor, norm: str) -> Tensor:
    return torch.stack([torch.from_numpy(papers.steepest(g.numpy(), norm)) for g in gradient])


def within(moved: Tensor, images: Tensor, epsilon: float, norm: str) -> Tensor:
    pairs = zip(moved.numpy(), images.numpy(), strict=True)
    kept = [papers.nearest(point, image, epsilon, norm) for point, image in pairs]
    return torch.from_numpy(np.stack(kept))


@pytest.fixture
def linear() -> tuple[nn.Module, Tensor, Tensor]:
    """A linear network in double precision, with images and labels."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).double()
    return model, torch.rand(4, 3, 2, 2).double(), torch.tensor([0, 1, 2, 0])


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", NORMS)
def test_fgsm_is_one_step_of_full_length(
    linear: tuple[nn.Module, Tensor, Tensor], norm: str, targeted: bool
) -> None:
    """Goodfellow et al. 2015, section 4; in l2 along the gradient itself."""
    model, images, labels = linear
    slope = cross_entropy_slope(model, images, labels).detach()
    moved = images + (-0.2 if targeted else 0.2) * step(slope, norm)
    expected = within(moved, images, 0.2, norm)
    options: dict[str, Any] = {"norm": norm, "targeted": targeted}
    torch.testing.assert_close(attacks.fgsm(*linear, epsilon=0.2, **options), expected)
    swept = attacks.fgsm_sweep(*linear, epsilons=[0.0, 0.2], **options)
    torch.testing.assert_close(swept, torch.stack([images, expected]))


def test_attacks_are_untargeted_and_of_linf_unless_told(
    linear: tuple[nn.Module, Tensor, Tensor],
) -> None:
    told: dict[str, Any] = {"norm": "linf", "targeted": False}
    for attack in (attacks.fgsm, attacks.bim, attacks.mifgsm):
        made = attack(*linear, epsilon=0.1)
        assert torch.equal(made, attack(*linear, epsilon=0.1, **told))
    for swept in attacks.fgsm_sweep(*linear, epsilons=[0.1]):
        assert torch.equal(swept, attacks.fgsm(*linear, epsilon=0.1))
    for random in (attacks.pgd, attacks.apgd):
        made = random(*linear, epsilon=0.1, generator=seeded())
        assert torch.equal(made, random(*linear, epsilon=0.1, generator=seeded(), **told))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("step_size", [None, 0.07])
def test_iterated_attacks_take_steps_of_two_and_a_half_epsilon_in_all(
    linear: tuple[nn.Module, Tensor, Tensor], norm: str, targeted: bool, step_size: float | None
) -> None:
    """Madry et al. 2018 start anywhere (here: at the image), Kurakin et al. 2017 at the image."""
    model, images, labels = linear
    sign, length, expected = -1 if targeted else 1, step_size or 2.5 * 0.2 / 6, images
    for _ in range(6):
        slope = sign * cross_entropy_slope(model, expected.detach(), labels).detach()
        expected = within(expected + length * step(slope, norm), images, 0.2, norm)
    options: dict[str, Any] = {"epsilon": 0.2, "steps": 6, "norm": norm, "targeted": targeted}
    options["step_size"] = step_size
    for made in (
        attacks.bim(model, images, labels, **options),
        attacks.pgd(model, images, labels, **options, random_start=False),
    ):
        torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("decay", "step_size"), [(1.0, None), (0.5, None), (0.0, 0.03)])
def test_the_momentum_of_mifgsm_decays(
    linear: tuple[nn.Module, Tensor, Tensor],
    norm: str,
    targeted: bool,
    decay: float,
    step_size: float | None,
) -> None:
    """Dong et al. 2018, equations 6 and 7: gradients count by their mean absolute value."""
    model, images, labels = linear
    sign, length, expected = -1 if targeted else 1, step_size or 2.5 * 0.2 / 5, images
    momentum = torch.zeros_like(images)
    for _ in range(5):
        slope = sign * cross_entropy_slope(model, expected.detach(), labels).detach()
        momentum = decay * momentum + slope / slope.abs().mean((1, 2, 3), keepdim=True)
        expected = within(expected + length * step(momentum, norm), images, 0.2, norm)
    options: dict[str, Any] = {"norm": norm, "targeted": targeted, "step_size": step_size}
    if decay != 1:  # what the paper takes, and so the default
        options["decay"] = decay
    made = attacks.mifgsm(model, images, labels, epsilon=0.2, steps=5, **options)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("norm", NORMS)
def test_ten_steps_are_the_default(linear: tuple[nn.Module, Tensor, Tensor], norm: str) -> None:
    for attack in (attacks.bim, attacks.mifgsm):
        made = attack(*linear, epsilon=0.1, norm=norm)
        torch.testing.assert_close(made, attack(*linear, epsilon=0.1, norm=norm, steps=10))
    made = attacks.pgd(*linear, epsilon=0.1, norm=norm, generator=seeded())
    other = attacks.pgd(
        *linear,
        epsilon=0.1,
        norm=norm,
        generator=seeded(),
        steps=10,
        restarts=1,
        random_start=True,
    )
    assert torch.equal(made, other)


@pytest.mark.parametrize("targeted", [False, True])
def test_of_restarts_each_image_keeps_the_one_of_the_highest_loss(
    linear: tuple[nn.Module, Tensor, Tensor], targeted: bool
) -> None:
    model, images, labels = linear
    options: dict[str, Any] = {"epsilon": 0.3, "steps": 1, "step_size": 0.01, "targeted": targeted}
    draws, together = seeded(), seeded()
    each = [attacks.pgd(model, images, labels, **options, generator=draws) for _ in range(5)]
    losses = torch.stack([-model(made).log_softmax(1)[range(4), labels] for made in each])
    chosen = (losses.argmin(0) if targeted else losses.argmax(0)).tolist()
    assert len(set(chosen)) > 1
    expected = torch.stack([each[number][image] for image, number in enumerate(chosen)])
    made = attacks.pgd(model, images, labels, **options, restarts=5, generator=together)
    torch.testing.assert_close(made, expected)


def test_random_starts_fill_the_cube_and_the_ball() -> None:
    images = torch.full((20_000, 1, 1, 3), 0.5)
    change = (start_at_random(images, 0.1, "linf", seeded()) - images).flatten(1)
    assert change.mean(0).abs().max() < 0.002
    assert change.var(0) == pytest.approx(0.1**2 / 3, rel=0.03)  # of the uniform distribution
    assert change.abs().max() <= 0.1 + 1e-6
    change = (start_at_random(images, 0.1, "l2", seeded()) - images).flatten(1)
    share = (change.norm(dim=1) / 0.1) ** 3  # of the ball's volume: uniform in [0, 1]
    assert [share.mean(), share.var()] == pytest.approx([1 / 2, 1 / 12], rel=0.03)
    assert change.mean(0).abs().max() < 0.002
    assert change.var(0) == pytest.approx(0.1**2 / 5, rel=0.03)


def test_projections_stay_within_both_bounds_and_move_no_more_than_they_must() -> None:
    generator = seeded()
    images = torch.rand(50, 1, 2, 3, generator=generator, dtype=torch.float64)
    moved = images + 0.4 * torch.randn(50, 1, 2, 3, generator=generator, dtype=torch.float64)
    for norm, epsilon in itertools.product(NORMS, (0.05, 0.3, 5.0)):
        torch.testing.assert_close(
            project(moved, images, epsilon, norm), within(moved, images, epsilon, norm)
        )
        assert not direction(torch.zeros(2, 1, 3), norm).any()  # nor is it not a number
        assert torch.equal(project(images, images, epsilon, norm), images)


def test_how_large_a_change_is() -> None:
    """Of each image: the largest change of a pixel, either way, or the root of their squares."""
    changes = torch.tensor([[[3.0, -4.0]], [[0.0, 2.0]], [[0.0, 0.0]]])
    assert lengths(changes, "linf").tolist() == [4, 2, 0]
    assert lengths(changes, "l2").tolist() == [5, 2, 0]


@pytest.mark.filterwarnings("ignore:the gradient of")
def test_an_attack_without_a_gradient_to_follow_stays_finite() -> None:
    linear = nn.Linear(12, 3)
    nn.init.zeros_(linear.weight)
    model = nn.Sequential(nn.Flatten(), linear)
    images, labels = torch.rand(2, 3, 2, 2), torch.tensor([0, 1])
    for attack, norm in itertools.product((attacks.fgsm, attacks.mifgsm), NORMS):
        assert torch.equal(attack(model, images, labels, epsilon=0.1, norm=norm), images)


def test_clipping_to_the_cube_is_by_bounds_on_each_pixel() -> None:
    """To the last bit, which differs from a projected change (Kurakin et al. 2017)."""
    images = torch.rand(50, 1, 2, 3, generator=seeded())
    moved = torch.rand(images.shape, generator=seeded(1)) ** 3  # dark ones have finer steps
    low, high = images.numpy() - np.float32(0.5), images.numpy() + np.float32(0.5)
    bounded = np.clip(np.clip(moved.numpy(), low, high), 0, 1)
    assert np.array_equal(clip(moved, images, 0.5, "linf").numpy(), bounded)
    assert not np.array_equal(project(moved, images, 0.5, "linf").numpy(), bounded)


@pytest.mark.parametrize(
    ("logits", "label", "target", "value"),
    [
        ([1.0, 3.0], 0, 1, 2.0),  # of two classes: the difference
        ([5.0, 3.0, 2.0, 1.0, 0.0], 0, 2, -3 / 3.5),  # by the highest less the mean of 3rd and 4th
        ([5.0, 3.0, 2.0], 1, 0, 2 / 3),  # of three there is no fourth
        ([5.0, 5.0, 5.0, 5.0, 4.0, 3.0], 4, 5, -1e12),  # which never divides by zero
    ],
)
def test_the_targeted_ratio_of_logits(
    logits: list[float], label: int, target: int, value: float
) -> None:
    found = targeted_dlr(torch.tensor([logits]), torch.tensor([label]), torch.tensor([target]))
    assert found.item() == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("logits", "label", "value"),
    [
        ([5.0, 3.0, 2.0, 1.0], 0, -2 / 3),  # by the highest less the third
        ([5.0, 3.0, 2.0], 2, 3 / 3),
        ([5.0, 5.0, 5.0, 4.0], 3, 1e12),  # which never divides by zero
        ([5.0, 5.0, 5.0, 4.0], 1, 0),
    ],
)
def test_the_ratio_of_logits(logits: list[float], label: int, value: float) -> None:
    found = dlr(torch.tensor([logits]), torch.tensor([label]))
    assert found.item() == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("attack", [attacks.pgd, attacks.apgd, attacks.square])
def test_random_numbers_do_not_depend_on_the_default_device(attack: Any) -> None:
    model, images = Watched(nn.Sequential(nn.Flatten(), nn.Linear(16, 3))), torch.rand(2, 1, 4, 4)
    count = {"queries": 5} if attack is attacks.square else {"steps": 3}
    options: dict[str, Any] = {"epsilon": 0.1, **count}
    made = attack(model, images, torch.tensor([0, 1]), **options, generator=seeded())
    labels, generator = torch.tensor([0, 1]), seeded()
    with torch.device("meta"):
        assert torch.equal(attack(model, images, labels, **options, generator=generator), made)

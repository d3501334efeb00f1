"""Attacks: against formulas written out, and against what every attack promises."""

import itertools
from collections import Counter
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.apgd import _stretches
from dlproj.attacks.common import dlr, margin, targeted_dlr
from dlproj.attacks.kernels import max_pool_2x2
from dlproj.attacks.result import AsTheyAre, Attacked
from dlproj.data.digits import load_digits, to_pixels
from dlproj.diagnosis.doubts import FLAT, find_doubts, steepest_entries
from dlproj.models.digits import DeepCNN, DeeperCNN, DigitCNN, FastCNN, LeNet, RobustCNN
from dlproj.models.files import DIGITS, load_model
from dlproj.training.loop import accuracy, predict
from tests.support.machine import MACHINE

METHODS: dict[str, Any] = {
    "fgsm": attacks.fgsm,
    "bim": attacks.bim,
    "pgd": attacks.pgd,
    "mifgsm": attacks.mifgsm,
    "apgd-ce": partial(attacks.apgd, steps=12, restarts=2),
    "apgd-dlr": partial(attacks.apgd, steps=12, loss="dlr"),
    "apgd-t": partial(attacks.apgd_targeted, steps=5, restarts=2),
    "fab": partial(attacks.fab, steps=5, restarts=2),
    "fab-t": partial(attacks.fab_targeted, steps=5, targets=2),
    "deepfool": partial(attacks.deepfool, steps=5),
    "square": partial(attacks.square, queries=20),
    "ensemble": partial(attacks.ensemble, steps=8, queries=20),
    "autoattack": partial(attacks.autoattack, steps=4, queries=10),
}


def small() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(36, 20),
        nn.BatchNorm1d(20),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(20, 4),
    )
    return model, torch.rand(5, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0])


def gradient(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    images = images.clone().requires_grad_()
    F.cross_entropy(model.eval()(images), labels).backward()
    assert images.grad is not None
    return images.grad


def test_fgsm_is_one_signed_step() -> None:
    model, images, labels = small()
    expected = (images + 0.1 * gradient(model, images, labels).sign()).clamp(0, 1)
    torch.testing.assert_close(attacks.fgsm(model, images, labels, epsilon=0.1), expected)


def test_targeted_fgsm_goes_the_other_way() -> None:
    model, images, labels = small()
    expected = (images - 0.1 * gradient(model, images, labels).sign()).clamp(0, 1)
    given = attacks.fgsm(model, images, labels, epsilon=0.1, targeted=True)
    torch.testing.assert_close(given, expected)


def test_a_sweep_of_fgsm_is_each_of_them_by_one_gradient() -> None:
    model, images, labels = small()
    looks: list[Any] = []
    model.register_forward_hook(lambda *seen: looks.append(seen))
    for norm, targeted in itertools.product(("linf", "l2"), (False, True)):
        options: dict[str, Any] = {"norm": norm, "targeted": targeted}
        looks.clear()
        made = attacks.fgsm_sweep(model, images, labels, epsilons=[0, 0.1, 0.3], **options)
        assert len(looks) == 1
        assert made.shape == (3, *images.shape)
        for epsilon, moved in zip([0, 0.1, 0.3], made, strict=True):
            expected = attacks.fgsm(model, images, labels, epsilon=epsilon, **options)
            torch.testing.assert_close(moved, expected, rtol=0, atol=0)


def test_bim_is_small_steps_within_epsilon() -> None:
    model, images, labels = small()
    expected = images
    for _ in range(4):
        moved = expected + 0.05 * gradient(model, expected, labels).sign()
        expected = images + (moved - images).clamp(-0.1, 0.1)
        expected = expected.clamp(0, 1)
    given = attacks.bim(model, images, labels, epsilon=0.1, steps=4, step_size=0.05)
    torch.testing.assert_close(given, expected)


def test_mifgsm_follows_a_running_sum() -> None:
    model, images, labels = small()
    expected, momentum = images, torch.zeros_like(images)
    for _ in range(3):
        slope = gradient(model, expected, labels)
        momentum = momentum + slope / slope.abs().mean((1, 2, 3), keepdim=True)
        moved = expected + 0.04 * momentum.sign()
        expected = (images + (moved - images).clamp(-0.1, 0.1)).clamp(0, 1)
    given = attacks.mifgsm(model, images, labels, epsilon=0.1, steps=3, step_size=0.04)
    torch.testing.assert_close(given, expected)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(epsilon=st.floats(0, 2), targeted=st.booleans(), seed=st.integers(0, 1000))
def test_no_attack_goes_too_far(
    method: str, norm: str, epsilon: float, targeted: bool, seed: int
) -> None:
    model, _, labels = small()
    images = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    epsilon = min(epsilon, 1) if norm == "linf" else epsilon
    made = METHODS[method](model, images, labels, epsilon=epsilon, norm=norm, targeted=targeted)
    change = (made - images).flatten(1)
    size = change.abs().amax() if norm == "linf" else change.norm(dim=1).max()
    assert size <= epsilon + 1e-6
    assert made.min() >= 0
    assert made.max() <= 1
    assert not made.requires_grad
    assert model.training
    assert all(weights.requires_grad for weights in model.parameters())
    assert all(weights.grad is None for weights in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("method", METHODS)
def test_networks_are_asked_about_images_alone(method: str, norm: str) -> None:
    """Also on the way: of what is no image, a network may say anything."""
    model, images, _ = small()
    images = images.round()  # at the edge of what is allowed, whichever way
    labels = model.eval()(images).argmax(1)
    asked: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].detach().clone()))
    restarts = {"restarts": 2} if "restarts" in signature(METHODS[method]).parameters else {}
    METHODS[method](model, images, labels, epsilon=0.05, norm=norm, **restarts)
    pixels = torch.cat(asked)
    assert pixels.min() >= 0
    assert pixels.max() <= 1


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("method", METHODS)
def test_a_generator_is_all_that_chance_comes_from(method: str, norm: str) -> None:
    model, images, _ = small()
    labels = model.eval()(images).argmax(1)
    drawn = {"generator": torch.Generator()}
    given = drawn if "generator" in signature(METHODS[method]).parameters else {}
    state = torch.get_rng_state()
    made = []
    for seed in (0, 0):
        drawn["generator"].manual_seed(seed)
        made.append(METHODS[method](model, images, labels, epsilon=0.05, norm=norm, **given))
    assert torch.equal(*made)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("steps", range(1, 13))
def test_apgd_ends_where_its_last_step_fools_the_last_image(norm: str, steps: int) -> None:
    model, _, labels = small()
    images = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(498))
    attack = partial(attacks.apgd, epsilon=0.953125, targeted=True)
    made = attack(model, images, labels, steps=steps, restarts=3, norm=norm)
    assert made.shape == images.shape


@pytest.mark.parametrize("network", [DeepCNN, DeeperCNN, DigitCNN, FastCNN, RobustCNN, LeNet])
def test_a_prepared_network_has_the_same_bits(network: type[nn.Module]) -> None:
    """Half of each image is blank, so that many values of a pool are the same."""
    torch.manual_seed(0)
    model, images, labels = network(), torch.rand(50, 1, 28, 28), torch.randint(10, (50,))
    images[:, :, :14] = 0
    with torch.no_grad():  # moves the running statistics away from zero and one
        model(images)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    prepared = attacks.prepare(model)
    assert not any(weights.requires_grad for weights in prepared.parameters())
    assert model.training
    assert all(weights.requires_grad for weights in model.parameters())
    assert torch.equal(prepared(images), model.eval()(images))
    expected = gradient(model, images, labels)
    assert expected.count_nonzero()
    assert torch.equal(gradient(prepared, images, labels), expected)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@settings(max_examples=50, deadline=None)
@given(
    batch=st.integers(1, 3),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    values=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_halving_is_max_pooling(
    batch: int, height: int, width: int, values: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(values, (batch, 2, height, width), generator=generator).float()
    weights = torch.randn((batch, 2, height // 2, width // 2), generator=generator)
    results = []
    for pool in (max_pool_2x2, partial(F.max_pool2d, kernel_size=2)):
        here = x.clone().requires_grad_()
        halved = pool(here)
        results.append((halved, *torch.autograd.grad((weights * halved).sum(), here)))
    for ours, theirs in zip(*results, strict=True):
        assert torch.equal(ours, theirs)


def test_dlr_and_margin_are_those_of_the_paper() -> None:
    logits = torch.tensor([[1.0, 5.0, 2.0, 3.0], [4.0, 1.0, 3.5, 0.0]])
    labels, targets = torch.tensor([1, 2]), torch.tensor([0, 1])
    torch.testing.assert_close(margin(logits, labels), torch.tensor([2.0, -0.5]))
    torch.testing.assert_close(dlr(logits, labels), torch.tensor([-2 / 3, 0.5 / 3]))
    expected = torch.tensor([(1 - 5) / (5 - 1.5), (1 - 3.5) / (4 - 0.5)])
    torch.testing.assert_close(targeted_dlr(logits, labels, targets), expected)
    torch.testing.assert_close(dlr(7 * logits, labels), dlr(logits, labels))


def test_apgd_halves_its_steps_as_published() -> None:
    """Checkpoints of 100 steps, as in the appendix of Croce & Hein 2020."""
    assert list(itertools.accumulate(_stretches(100))) == [22, 41, 57, 70, 80, 87, 93, 99, 100]


def masked(model: nn.Module, scale: float) -> nn.Module:
    """The same decisions from logits so far apart that the softmax has no gradient left."""

    class Scaled(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = scale * model(images)
            return logits

    return Scaled().eval()


@pytest.fixture(scope="module")
def shipped() -> tuple[nn.Module, Tensor, Tensor]:
    """The classifier that ships, and test images that it reads rightly."""
    model, _ = load_model(DIGITS)
    test = load_digits().test
    images, labels = to_pixels(test.pictures[:60]), test.labels[:60]
    right = model(images).argmax(1) == labels
    return model, images[right], labels[right]


def left(model: nn.Module, made: Tensor, labels: Tensor) -> float:
    return accuracy(predict(model, made, machine=MACHINE), labels)


def test_stronger_attacks_leave_less(shipped: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, labels = shipped
    single = left(model, attacks.fgsm(model, images, labels, epsilon=0.15), labels)
    steady = left(
        model, attacks.pgd(model, images, labels, epsilon=0.15, generator=seeded()), labels
    )
    tally: Counter[str] = Counter()
    made = attacks.ensemble(
        model, images, labels, epsilon=0.15, steps=25, queries=50, generator=seeded(), tally=tally
    )
    strongest = left(model, made, labels)
    assert strongest <= steady < single < 1
    assert sum(tally.values()) == round((1 - strongest) * len(labels))


@pytest.mark.filterwarnings("ignore:the gradient of")
def test_square_needs_no_gradient(shipped: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, labels = shipped
    hidden = masked(model, 1e4)
    made, again = (
        attacks.square(hidden, images, labels, epsilon=0.25, queries=100, generator=seeded())
        for _ in range(2)
    )
    stripes = attacks.square(hidden, images, labels, epsilon=0.25, queries=1, generator=seeded())
    assert left(model, made, labels) < left(model, stripes, labels) <= 1
    assert left(model, attacks.fgsm(hidden, images, labels, epsilon=0.25), labels) > 0.9
    assert torch.equal(made, again)


@pytest.mark.filterwarnings("ignore:the gradient of")
def test_dlr_sees_past_scaled_logits(shipped: tuple[nn.Module, Tensor, Tensor]) -> None:
    model, images, labels = shipped
    hidden, reached = masked(model, 1e4), {}
    for loss in ("ce", "dlr"):
        made = attacks.apgd(
            hidden, images, labels, epsilon=0.15, steps=10, loss=loss, generator=seeded()
        )
        reached[loss] = left(model, made, labels)
    assert reached["dlr"] < 0.7 < reached["ce"]
    assert (steepest_entries(hidden, images, labels) < FLAT).double().mean() > 0.9
    assert (steepest_entries(model, images, labels) < FLAT).double().mean() < 0.1


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def attacked(
    method: str, epsilon: float, right: int, **tally: int
) -> tuple[Attacked, dict[str, Any]]:
    """A result on 100 images of class 0, of which so many are still read rightly."""
    logits = torch.zeros(100, 4)
    logits[:right, 0], logits[right:, 1] = 1, 1
    row = {
        "method": method,
        "epsilon": epsilon,
        "accuracy": right / 100,
        "norm": "linf",
        "targeted": False,
    }
    return Attacked(epsilon, torch.rand(100, 1, 6, 6), logits, 0.0, Counter(tally)), row


@pytest.mark.parametrize(
    ("results", "bias", "doubt"),
    [
        ([attacked("pgd", 0.1, 40)], 9, None),
        ([attacked("fgsm", 0.1, 40), attacked("fgsm", 0.3, 60)], 9, "0.3 leaves more than 0.1"),
        ([attacked("pgd", 0.3, 100)], -9, "fgsm leaves 0.0% at epsilon 0.3, less than the 100.0%"),
        ([attacked("ensemble", 0.1, 70, square=5)], 9, "square, which follows no gradient, fools"),
    ],
)
def test_weak_attacks_are_doubted(
    results: list[tuple[Attacked, dict[str, Any]]], bias: float, doubt: str | None
) -> None:
    """`bias` makes the model read all images as class 0, or none, whatever fgsm does."""
    torch.manual_seed(0)
    layer = nn.Linear(36, 4)
    layer.bias.data = torch.tensor([bias, 0.0, 0.0, 0.0])
    model = nn.Sequential(nn.Flatten(), layer)
    labels = torch.zeros(100, dtype=torch.long)
    images = torch.rand(100, 1, 6, 6)
    before = AsTheyAre(model(images).detach())
    found = list(find_doubts(model, images, labels, before, *map(list, zip(*results, strict=True))))
    assert found == [] if doubt is None else any(doubt in line for line in found), found


def test_a_vanished_gradient_is_doubted() -> None:
    torch.manual_seed(0)
    hidden = masked(nn.Sequential(nn.Flatten(), nn.Linear(36, 4)), 1e6)
    images = torch.rand(50, 1, 6, 6)
    labels = hidden(images).argmax(1)
    before, (result, row) = AsTheyAre(hidden(images).detach()), attacked("fgsm", 0.1, 40)
    (found,) = find_doubts(hidden, images, labels, before, [result], [row])
    assert "the gradient of 100% of the images vanishes" in found


def test_pgd_is_repeatable_and_restarts_never_weaken_it() -> None:
    model, images, labels = small()

    def losses(restarts: int) -> Tensor:
        made = attacks.pgd(
            model,
            images,
            labels,
            epsilon=0.1,
            restarts=restarts,
            steps=3,
            generator=torch.Generator().manual_seed(1),
        )
        return F.cross_entropy(model.eval()(made), labels, reduction="none")

    assert torch.equal(losses(1), losses(1))
    assert (losses(6) >= losses(1)).all()
    assert (losses(6) > losses(1)).any()


def test_the_courses_classifier(course: Path) -> None:
    model, _ = load_model(course / "mnist_lenet.pt")
    test = load_digits().test
    images = to_pixels(test.pictures)
    assert accuracy(predict(model, images, machine=MACHINE), test.labels) == 0.9914
    made = torch.cat(
        [
            attacks.fgsm(model, batch, labels, epsilon=0.2)
            for batch, labels in zip(images.split(250), test.labels.split(250), strict=True)
        ]
    )
    left = accuracy(predict(model, made, machine=MACHINE), test.labels)
    assert 0.4405 <= left <= 0.4410  # the report: under half

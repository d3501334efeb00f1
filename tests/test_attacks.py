"""Attacks: against formulas written out, and against what every attack promises."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlproj import attacks
from dlproj.data.digits import load_digits, to_pixels
from dlproj.experiments.trained import load_model
from dlproj.training.loop import accuracy, predict
from tests.conftest import Dlproj
from tests.test_loop import MACHINE

METHODS: dict[str, Any] = {
    "fgsm": attacks.fgsm,
    "bim": attacks.bim,
    "pgd": attacks.pgd,
    "mifgsm": attacks.mifgsm,
}


def small() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 20), nn.BatchNorm1d(20), nn.ReLU(),
                          nn.Dropout(0.5), nn.Linear(20, 4))  # fmt: skip
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
@settings(max_examples=20, deadline=None)
@given(epsilon=st.floats(0, 2), targeted=st.booleans(), seed=st.integers(0, 1000))
def test_no_attack_goes_too_far(
    method: str, norm: str, epsilon: float, targeted: bool, seed: int
) -> None:
    model, _, labels = small()
    images = torch.rand(5, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
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


def test_pgd_is_repeatable_and_restarts_never_weaken_it() -> None:
    model, images, labels = small()

    def losses(restarts: int) -> Tensor:
        made = attacks.pgd(
            model, images, labels, epsilon=0.1, restarts=restarts, steps=3,
            generator=torch.Generator().manual_seed(1),
        )  # fmt: skip
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


def test_the_command_checks_itself_and_keeps_what_it_made(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(
        "attack", "--data", tiny, "--epsilon", 0, "--epsilon", 0.2, "--method", "pgd",
        "--steps", 3, "--save-images", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    metrics = done.json["metrics"]
    none, some = metrics["attacks"]
    assert none["accuracy"] == metrics["clean_accuracy"] > 0.9
    assert none["success_rate"] == none["max_perturbation"] == 0
    assert some["accuracy"] < 0.8
    assert some["max_perturbation"] == pytest.approx(0.2, abs=1e-6)
    with np.load(tmp_path / "runs/attack/1/adversarial.npz", allow_pickle=False) as kept:
        assert kept["epsilons"].tolist() == [0, 0.2]
        labels, predictions = kept["labels"], kept["predictions_1"]
        assert kept["images_1"].shape == (300, 28, 28)
    assert (labels == predictions).mean() == pytest.approx(some["accuracy"])


def test_the_newest_run_is_attacked_before_what_ships(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    attack = ("attack", "--data", tiny, "--epsilon", 0.1, "--no-plots", "--json")
    assert dlproj(*attack).json["metrics"]["model"].endswith("trained/digits.safetensors")
    assert dlproj("train-digits", "--data", tiny, "--no-plots").code == 0
    assert dlproj(*attack).json["metrics"]["model"] == "runs/train-digits/1"
    saved = tmp_path / "runs/train-digits/1/model.safetensors"
    assert dlproj(*attack, "--model", saved).json["metrics"]["model"] == str(saved)

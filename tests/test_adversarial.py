"""Adversarial training: what it trains on, what it measures, and that it resumes exactly."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from dlproj.configuration.resolve import resolve
from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Images, load_digits
from dlproj.experiments.adversarial import AdversarialBatches
from dlproj.experiments.digits import make_batches
from dlproj.models.digits import RobustCNN
from dlproj.models.files import DIGITS
from dlproj.settings import DigitsConfig
from tests.conftest import Dlproj, write_digits
from tests.support.machine import MACHINE


def batches(model: RobustCNN) -> tuple[ShuffledBatches, AdversarialBatches]:
    images = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    clean = ShuffledBatches(images, torch.arange(50) % 10, batch_size=20, seed=3)
    return clean, AdversarialBatches(clean, model, MACHINE, epsilon=0.3, steps=2)


def changes(epoch: int) -> list[float]:
    clean, moved = batches(RobustCNN())
    return [
        float((made - images).abs().max())
        for (images, _), (made, _) in zip(clean.epoch(epoch), moved.epoch(epoch), strict=True)
    ]


def test_epsilon_grows_over_the_first_epoch_and_stays() -> None:
    torch.testing.assert_close(torch.tensor(changes(0)), torch.tensor([0.0, 0.1, 0.2]))
    torch.testing.assert_close(torch.tensor(changes(1)), torch.tensor([0.3, 0.3, 0.3]))


def test_batches_raise_the_loss_and_are_the_same_from_anywhere() -> None:
    torch.manual_seed(0)
    model = RobustCNN()
    clean, moved = batches(model)
    loss = torch.nn.functional.cross_entropy
    for (images, labels), (made, same) in zip(clean.epoch(1), moved.epoch(1), strict=True):
        assert torch.equal(labels, same)
        assert loss(model(made), labels) > loss(model(images), labels)
    whole: list[Tensor] = [images for images, _ in moved.epoch(1)]
    rest = [images for images, _ in moved.epoch(1, 2)]
    assert len(rest) == 1
    assert torch.equal(rest[0], whole[2])


def test_adversarial_changes_the_defaults_and_flags_win() -> None:
    plain, robust = resolve(DigitsConfig, {}), resolve(DigitsConfig, {"adversarial": True})
    assert (plain.network, plain.optimizer) == ("report", "sgd")
    assert (robust.network, robust.optimizer) == ("robust", "adam")
    assert resolve(DigitsConfig, {"adversarial": True, "epochs": 2}).epochs == 2
    fast = resolve(DigitsConfig, {"adversarial": True, "recipe": "fast"})
    assert (fast.network, fast.adversarial) == ("fast", True)


def test_its_distorted_images_are_no_greyer_than_mnists() -> None:
    """Grey pixels, from 0.2 to 0.8, are those that a change of 0.3 carries across a half."""
    digits = load_digits()
    digits = replace(digits, train=Images(digits.train.pictures[:2000], digits.train.labels[:2000]))

    def grey(**given: object) -> float:
        batches = make_batches(resolve(DigitsConfig, given), digits)
        pixels = torch.cat([images for images, _ in batches.epoch(0)])
        return ((pixels > 0.2) & (pixels < 0.8)).flatten(1).sum(1).double().mean().item()

    assert grey() * 0.9 < grey(adversarial=True, distort=0.7) < grey()
    assert grey(distort=0.7) > 1.4 * grey()


def test_an_adversarial_run_measures_robustness_and_resumes(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    line = (
        "train-digits",
        "--adversarial",
        "--data",
        tiny,
        "--epochs",
        3,
        "--threads",
        1,
        "--validation",
        40,
        "--no-plots",
    )
    done = dlproj(*line, "--checkpoint-every", 0, "--json", "--out", "whole")
    assert done.code == 0, done.err
    metrics = done.json["metrics"]
    assert 0 <= metrics["robust_accuracy"] <= metrics["test_accuracy"]
    assert metrics["validation_robust_accuracy"] <= metrics["validation_accuracy"]
    whole = tmp_path / "whole"
    model = (whole / "model.safetensors").read_bytes()
    (whole / "result.json").unlink()
    (whole / "checkpoint/previous.safetensors").replace(whole / "checkpoint/training.safetensors")
    assert dlproj("train-digits", "--resume", whole, "--no-plots").code == 0
    assert (whole / "model.safetensors").read_bytes() == model
    table = dlproj("train-digits", "--resume", whole)
    assert "under pgd, first 2,000" in table.out


def test_training_on_adversarial_images_makes_robust(dlproj: Dlproj) -> None:
    """Two epochs of a tenth of the images already stop what fools the usual network."""
    folder = Path("some")
    write_digits(folder, train=6000, test=1000)
    line = ("train-digits", "--adversarial", "--epochs", 2, "--data", folder, "--no-plots")
    metrics = dlproj(*line, "--json").json["metrics"]
    assert metrics["test_accuracy"] > 0.9
    assert metrics["robust_accuracy"] > 0.5
    short = ("--epsilon", 0.3, "--limit", 100, "--json", "--no-plots")
    attacked = dlproj(
        "attack",
        *short,
        "--model",
        "runs/train-digits/1",
        "--method",
        "ensemble",
        "--steps",
        20,
        "--queries",
        100,
    )
    usual = dlproj("attack", *short, "--method", "pgd", "--model", DIGITS)
    assert attacked.json["metrics"]["attacks"][0]["accuracy"] > 0.4
    assert usual.json["metrics"]["attacks"][0]["accuracy"] < 0.1

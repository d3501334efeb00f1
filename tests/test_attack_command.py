"""The command `dlproj attack`: what it keeps, whichever threads do it, and what it attacks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlproj.attacks.result import AsTheyAre
from dlproj.diagnosis.doubts import steepest_entries
from dlproj.training.loop import predict
from tests.conftest import Dlproj


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_the_command_checks_itself_and_keeps_what_it_made(
    dlproj: Dlproj, tiny: Path, tmp_path: Path, method: str
) -> None:
    done = dlproj(
        "attack",
        "--data",
        tiny,
        "--epsilon",
        0,
        "--epsilon",
        0.2,
        "--method",
        method,
        *(["--steps", 3] if method == "pgd" else []),
        "--batch-size",
        70,
        "--save-images",
        "--json",
    )
    assert done.code == 0, done.err
    metrics = done.json["metrics"]
    none, some = metrics["attacks"]
    assert none["accuracy"] == metrics["clean_accuracy"] > 0.9
    assert none["success_rate"] == none["max_perturbation"] == 0
    assert some["accuracy"] < 0.8
    assert some["max_perturbation"] == pytest.approx(0.2, abs=1e-6)
    with np.load(tmp_path / "runs/attack/1/adversarial.npz", allow_pickle=False) as kept:
        assert kept["epsilons"].tolist() == [0, 0.2]
        change = np.abs(kept["images_1"] - kept["images_0"]).max(axis=(1, 2))
        assert change == pytest.approx(np.full(300, 0.2), abs=1e-6)
        labels, predictions = kept["labels"], kept["predictions_1"]
        assert kept["images_1"].shape == (300, 28, 28)
    assert (labels == predictions).mean() == pytest.approx(some["accuracy"])


@pytest.mark.parametrize("method", ["fgsm", "ensemble"])
def test_threads_change_no_bit_of_an_attack(
    dlproj: Dlproj, tiny: Path, tmp_path: Path, method: str
) -> None:
    """Batches have random numbers of their own, whichever thread takes them, and when."""
    made, few = [], ("--steps", 3, "--queries", 5) if method == "ensemble" else ()
    for threads in (1, 2, 3):
        done = dlproj(
            "attack",
            "--data",
            tiny,
            "--epsilon",
            0.1,
            "--method",
            method,
            *few,
            "--batch-size",
            40,
            "--threads",
            threads,
            "--no-plots",
            "--save-images",
            "--out",
            tmp_path / str(threads),
            "--json",
        )
        assert done.code == 0, done.err
        (row,) = done.json["metrics"]["attacks"]
        assert ("broken_by" in row) == (method == "ensemble")
        made.append(
            (
                (tmp_path / str(threads) / "adversarial.npz").read_bytes(),
                {name: row[name] for name in row if name != "seconds"},
            )
        )
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize(("method", "evaluations"), [("fgsm", 2), ("pgd", 3)])
def test_fgsm_takes_the_clean_logits_from_its_own_pass(
    dlproj: Dlproj, tiny: Path, monkeypatch: pytest.MonkeyPatch, method: str, evaluations: int
) -> None:
    """The others start elsewhere, and evaluate the images themselves before each epsilon's."""
    evaluated: list[int] = []

    def counted(model: nn.Module, images: Tensor, **options: Any) -> Tensor:
        evaluated.append(len(images))
        return predict(model, images, **options)

    monkeypatch.setattr("dlproj.experiments.attack_batches.predict", counted)
    steps = ("--steps", 1) if method == "pgd" else ()
    done = dlproj(
        "attack", "--data", tiny, "--epsilon", 0.1, "--epsilon", 0.2, "--method", method, *steps
    )
    assert done.code == 0, done.err
    assert evaluated == [300] * evaluations


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm_takes_the_steepest_entries_from_its_own_pass(
    dlproj: Dlproj, tiny: Path, monkeypatch: pytest.MonkeyPatch, *, targeted: bool
) -> None:
    """Of each image's own gradient, not of the batch's mean, and in the images' order."""
    seen: list[tuple[Tensor, Tensor]] = []

    def doubts(model: nn.Module, images: Tensor, labels: Tensor, before: AsTheyAre, *_: Any) -> Any:
        aims = (labels + 1) % 10 if targeted else labels
        assert before.steepest is not None
        seen.append((before.steepest, steepest_entries(model, images, aims)))
        return []

    monkeypatch.setattr("dlproj.experiments.attack.find_doubts", doubts)
    aim = ("--targeted",) if targeted else ()
    done = dlproj("attack", "--data", tiny, "--epsilon", 0.1, "--batch-size", 70, *aim)
    assert done.code == 0, done.err
    ((mine, anew),) = seen
    torch.testing.assert_close(mine, anew, rtol=1e-3, atol=1e-8)


def test_the_newest_run_is_attacked_before_what_ships(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    attack = ("attack", "--data", tiny, "--epsilon", 0.1, "--no-plots", "--json")
    assert dlproj(*attack).json["metrics"]["model"].endswith("trained/digits.safetensors")
    assert dlproj("train-digits", "--data", tiny, "--no-plots").code == 0
    assert dlproj(*attack).json["metrics"]["model"] == "runs/train-digits/1"
    saved = tmp_path / "runs/train-digits/1/model.safetensors"
    assert dlproj(*attack, "--model", saved).json["metrics"]["model"] == str(saved)


def test_the_smallest_changes_are_counted_at_each_epsilon_kept_and_drawn(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    options = ("--method", "deepfool", "--limit", 30, "--save-images", "--json")
    epsilons = ("--epsilon", 0, "--epsilon", 0.1, "--epsilon", 0.2)
    done = dlproj("attack", "--data", tiny, *options, *epsilons)
    assert done.code == 0, done.err
    metrics = done.json["metrics"]
    run = tmp_path / "runs/attack/1"
    with np.load(run / "adversarial.npz", allow_pickle=False) as kept:
        sizes = kept["distances"]
        clean, near = kept["images_0"], kept["images_1"]
        fooled = kept["predictions_1"] != kept["labels"]
    for row in metrics["attacks"]:
        assert row["accuracy"] == pytest.approx((sizes > row["epsilon"]).mean())
    assert 0 < (sizes <= 0.1).sum() < (sizes <= 0.2).sum()
    np.testing.assert_array_equal(fooled, sizes <= 0.1)
    moved = np.abs(near - clean).max(axis=(1, 2))
    np.testing.assert_allclose(moved, np.where(sizes <= 0.1, sizes, 0), atol=1e-7)
    ordered = sorted(sizes)
    places = [ordered[place] for place in (1, 7, 14, 22, 28)]  # 5, 25, 50, 75, 95 % of 30
    assert metrics["smallest"]["quantiles"] == pytest.approx(places)
    assert metrics["smallest"]["found"] == np.isfinite(sizes).mean()
    assert (run / "distances.png").exists()

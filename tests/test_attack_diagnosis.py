"""The attack laboratory: its measurements against known ones, its verdicts by their rules."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from torch import nn

from dlproj.diagnosis.attack import (
    Subject,
    low_pass,
    margins,
    radial_energy,
    sign_noise,
)
from dlproj.diagnosis.attack_claims import claims
from tests.conftest import Dlproj
from tests.support import schemas
from tests.support.machine import MACHINE


def waves(down: int, across: int) -> torch.Tensor:
    """A picture (1, 1, 28, 28) of one frequency."""
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    phase = 2 * torch.pi * (down * rows + across * columns) / 28
    return phase.cos()[None, None]


@pytest.mark.parametrize(("down", "across", "radius"), [(0, 5, 5), (3, 4, 5), (13, 13, 14)])
def test_a_wave_has_its_energy_at_its_frequency(down: int, across: int, radius: int) -> None:
    energy = radial_energy(waves(down, across) + 0.5)
    assert float(energy[radius - 1]) == pytest.approx(1)


def test_a_low_pass_takes_what_is_below() -> None:
    both = 0.5 + 0.3 * waves(0, 3) + 0.2 * waves(9, 0)
    torch.testing.assert_close(low_pass(both, 6), 0.5 + 0.3 * waves(0, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(low_pass(both, 20), both, rtol=0, atol=1e-5)


def subject(norm: str = "linf") -> Subject:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))
    images = torch.rand(20, 1, 28, 28)
    labels = model(images).argmax(1)
    return Subject(model, images, labels, images, 0.1, norm, MACHINE)


def test_noise_is_as_large_as_the_attack() -> None:
    linf, l2 = subject(), subject("l2")
    change = (sign_noise(linf, 0) - linf.images).abs()
    inside = (linf.images > 0.1) & (linf.images < 0.9)
    torch.testing.assert_close(change[inside], torch.full_like(change[inside], 0.1))
    lengths = (sign_noise(l2, 0) - l2.images).flatten(1).norm(dim=1)
    assert 0.095 < float(lengths.min()) <= float(lengths.max()) <= 0.1 + 1e-6


def test_margins_of_what_is_read_rightly_are_positive() -> None:
    one = subject()
    logits = one.model(one.images).sort(dim=1).values
    lead = (logits[:, 2] - logits[:, 1]).mean().item()
    assert margins(one, one.images)["mean"]["clean"] == pytest.approx(lead, rel=1e-5)


def measured(
    low: float,
    high: float,
    mean: float,
    halves: tuple[float, float],
    noise: float,
    others: float,
    alike: float,
) -> dict[str, Any]:
    return {
        "filters": {
            "radius": [*range(1, 15)],
            "clean_low": [low] * 14,
            "clean_high": [high] * 14,
        },
        "accuracy": {"clean": 0.99, "noise": noise, "adversarial": 0.4},
        "spectrum": {"mean_frequency": {"digits": 3, "perturbations": mean, "noise": 9}},
        "halves": {"radius": 5, "low_accuracy": halves[0], "high_accuracy": halves[1]},
        "margins": {"mean": {"clean": 9, "noise": 8, "adversarial": -1}},
        "transfer": {"networks": ["attacked", "MLP"], "success": [[0.6, others], [0, 0]]},
        "epsilon": 0.2,
        "likeness": {
            "similarity": alike,
            "neighbours_clean": 1.0,
            "neighbours": alike,
            "others_clean": 0.99,
            "others": 0.6,
        },
    }


SUPPORTING = (0.5, 0.6, 10, (0.9, 0.5), 0.5, 0.01, 0.95)
REFUTING = (0.985, 0.2, 2, (0.5, 0.9), 0.98, 0.5, 0.4)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (SUPPORTING, "supported"),
        (REFUTING, "not supported"),
        ((0.9, 0.2, 6, (0.7, 0.7), 0.8, 0.2, 0.8), "mixed"),
    ],
)
def test_verdicts_follow_their_rules(values: Any, verdict: str) -> None:
    one = measured(*values)
    assert {claim["verdict"] for claim in claims([one])} == {verdict}
    several = claims([one] * 3, sampled=True)
    assert {claim["verdict"] for claim in several} == {verdict}
    assert all("3 networks" in claim["evidence"] for claim in several)


def test_networks_that_disagree_leave_a_claim_undecided() -> None:
    networks = [measured(*SUPPORTING), measured(*REFUTING)] * 2
    for claim in claims(networks, sampled=True):
        assert claim["verdict"] == "undecided"
        assert "95 % interval" in claim["evidence"]
        needed = re.search(r"4 networks; about ([\d,]+) networks would", claim["evidence"])
        assert needed
        assert int(needed[1].replace(",", "")) > 4
    assert {claim["verdict"] for claim in claims(networks[:2], sampled=True)} == {"undecided"}


def test_an_older_run_is_judged_by_what_it_measured() -> None:
    old = measured(*SUPPORTING)
    del old["likeness"]
    assert len(claims([old])) == 5
    found = claims([old, measured(*SUPPORTING), measured(*SUPPORTING)], sampled=True)
    assert len(found) == 7
    assert "3 networks" in found[0]["evidence"]
    assert "2 networks, too few" in found[-1]["evidence"]


def test_the_command(dlproj: Dlproj, tiny: Path, tmp_path: Path) -> None:
    line = ("attack", "--data", tiny, "--epsilon", 0, "--epsilon", 0.2, "--epsilon", 0.3)
    done = dlproj(*line, "--diagnose", "--json")
    assert done.code == 0, done.err
    metrics = done.json["metrics"]
    diagnosis = metrics["diagnosis"]
    jsonschema.validate(
        diagnosis["claims"], {"type": "array", "minItems": 7, "items": schemas.CLAIM}
    )
    row = next(row for row in metrics["attacks"] if row["epsilon"] == diagnosis["epsilon"])
    assert row["epsilon"] > 0
    assert diagnosis["accuracy"]["adversarial"] == row["accuracy"]
    assert diagnosis["accuracy"]["clean"] == metrics["clean_accuracy"]
    assert diagnosis["filters"]["clean_low"][-1] > diagnosis["filters"]["clean_low"][0]
    assert diagnosis["transfer"]["networks"] == ["attacked", "small CNN", "MLP"]
    assert 0 < diagnosis["likeness"]["similarity"] < 1
    assert diagnosis["likeness"]["neighbours_clean"] > 0.4
    assert diagnosis["transfer"]["success"][0][0] == pytest.approx(row["success_rate"])
    run = tmp_path / "runs/attack/1"
    figures = {path.stem for path in run.glob("*.png")}
    assert {"spectra", "filters", "transfer", "margins"} <= figures
    done = dlproj("attack", "--resume", run)
    assert "What the measurements say" in done.out
    assert "…" not in done.out  # in a pipe, lines are whole

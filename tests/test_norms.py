"""The comparison of normalisations: its arms, its scales, its measurements and its rules."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dlproj.diagnosis import norms
from dlproj.models.digits import DigitCNN
from dlproj.statistics import describe
from tests.conftest import Dlproj


@pytest.mark.parametrize("kind", ["layer", "group"])
def test_a_norm_in_place_of_batchnorm_has_its_parameters_and_its_formula(kind: str) -> None:
    torch.manual_seed(0)
    model = DigitCNN()
    known = {id(weights) for weights in model.parameters()}
    norms.put_in_place(model, norms.GROUPS[kind])
    assert {id(weights) for weights in model.parameters()} == known
    x = torch.randn(3, 16, 5, 5) * 4 + 2
    groups = x.view(3, norms.GROUPS[kind], -1)
    mean, variance = groups.mean(2, keepdim=True), groups.var(2, correction=0, keepdim=True)
    expected = ((groups - mean) / (variance + 1e-5).sqrt()).view_as(x)
    torch.testing.assert_close(model.norm1(x), expected)
    if kind == "layer":
        torch.testing.assert_close(model.norm1(x), nn.LayerNorm([16, 5, 5])(x))


def test_scales_are_of_the_inputs_and_of_the_first_weights() -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 1, 28, 28)
    model = DigitCNN(batchnorm=False)
    given: list[torch.Tensor] = []
    model.conv1.register_forward_hook(lambda _module, inputs, _output: given.append(inputs[0]))
    model(images)
    norms.change_scale(model, "inputs 10")
    model(images)
    torch.testing.assert_close(given[1], 10 * given[0])
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    norms.change_scale(model, "weights 0.3")
    for name, weights in model.named_parameters():
        scaled = name.endswith("weight") and not name.startswith("output")
        torch.testing.assert_close(weights, before[name] * (0.3 if scaled else 1))


def test_steps_are_counted_to_the_first_window_that_is_good() -> None:
    scores = [0.0] * 10 + [1.0] * 30
    assert norms.steps_to(scores, 40) == 10 + norms.WINDOW
    assert norms.steps_to([0.9] * 40, 40) == 41


def test_batchnorm_gives_moments_of_0_and_1() -> None:
    torch.manual_seed(0)
    found = norms.moments(DigitCNN(), torch.rand(64, 1, 28, 28))
    assert found["mean"] == pytest.approx(0, abs=1e-5)
    assert found["deviation"] == pytest.approx(1, abs=1e-2)
    model = DigitCNN()
    with torch.no_grad():
        for norm in (model.norm1, model.norm2, model.norm3):
            norm.weight.fill_(3)  # type: ignore[operator]
            norm.bias.fill_(2)  # type: ignore[operator]
    moved = norms.moments(model, torch.rand(64, 1, 28, 28))
    assert moved["mean"] == pytest.approx(2, abs=1e-3)
    assert moved["deviation"] == pytest.approx(3, abs=3e-2)
    assert moved["scaled_mean"] == pytest.approx(0, abs=1e-3)
    assert moved["scaled_deviation"] == pytest.approx(1, abs=1e-2)


def arm(steps: float, gap: float, cost: float, **given: float) -> dict[str, Any]:
    shake = [-0.01, 0.0, 0.01, 0.005]
    moments = {"mean": 0.0, "deviation": 1.0, "kurtosis": 0.0}
    moments |= {"scaled_mean": 0.0, "scaled_deviation": 1.0, **given}
    return {
        "steps": describe([steps * (1 + small) for small in shake]),
        "gap": describe([gap + small / 1000 for small in shake]),
        "inputs": describe([cost + small / 10 for small in shake]),
        "weights": describe([cost - small / 10 for small in shake]),
        "given_by_seed": {name: describe([value] * 4) for name, value in moments.items()},
    }


def verdicts(arms: dict[str, Any]) -> dict[str, str]:
    return {claim["claim"]: claim["verdict"] for claim in norms.claims(arms)}


def test_verdicts_follow_their_rules() -> None:
    arms = {
        "without": arm(200, 0.01, 0.5),
        "with": arm(100, 0.005, 0.1),
        "layer": arm(200, 0.02, 0.5),
        "group": arm(100, 0.005, 0.1),
    }
    found = verdicts(arms)
    assert {found[name] for name in found if name.startswith(("BatchNorm", "GroupNorm"))} == {
        "supported"
    }
    assert {found[name] for name in found if name.startswith("LayerNorm")} == {"not supported"}
    assert len(found) == 14
    arms["with"] = arm(100, 0.005, 0.1, mean=0.5, kurtosis=2)
    found = verdicts(arms)
    assert (
        found["BatchNorm makes what the next function is given of mean 0 and variance 1"] == "mixed"
    )
    assert found["what BatchNorm gives on is normally distributed"] == "not supported"


@pytest.mark.parametrize(
    ("what", "values", "claim"),
    [
        ("mean", [0.05, 0.09, 0.05, 0.19], "mean 0 and variance 1"),
        ("kurtosis", [0.3, 0.5, 0.3, 0.7], "normally distributed"),
    ],
)
def test_moments_are_judged_by_their_interval(what: str, values: list[float], claim: str) -> None:
    """Their mean is within what the rule asks for, and their interval is not."""
    own = arm(100, 0.005, 0.1)
    own["given_by_seed"][what] = describe(values)
    arms = {"without": arm(200, 0.01, 0.5), "with": own, "layer": own, "group": own}
    (found,) = [each for each in norms.claims(arms) if claim in each["claim"]]
    assert found["verdict"] == "undecided"
    assert "95 % interval" in found["evidence"]


def test_the_command(dlproj: Dlproj, tiny: Path) -> None:
    line = ("ablate-batchnorm", "--data", tiny, "--lr", 0.02, "--images", 128, "--seeds", 1)
    done = dlproj(*line, "--threads", 1, "--norms", "--no-plots", "--json")
    assert done.code == 0, done.err
    found = done.json["metrics"]["norms"]
    assert {*found["arms"]} == {"with", "without", "layer", "group"}
    assert all(math.isfinite(each["gap"]["mean"]) for each in found["arms"].values())
    assert {claim["verdict"] for claim in found["claims"]} == {"undecided"}
    given = found["arms"]["with"]["given_by_seed"]["deviation"]
    assert given["mean"] == found["arms"]["with"]["given"]["deviation"]
    assert {*done.json["metrics"]["cells"][0]} >= {"with", "without", "difference", "p_value"}

"""The BatchNorm laboratory: its measurements against others, its verdicts by their rules."""

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlproj.diagnosis import batchnorm as batchnorm_diagnosis
from dlproj.diagnosis import batchnorm_study
from dlproj.diagnosis.batchnorm import (
    Units,
    dead_share,
    drift,
    landscape,
    measure,
    relu_inputs,
)
from dlproj.diagnosis.batchnorm_claims import claims, of_seed
from dlproj.models.digits import DigitCNN
from dlproj.models.noise import DriftingNoise
from tests.conftest import Dlproj
from tests.support import schemas


def network(*, batchnorm: bool = True) -> DigitCNN:
    torch.manual_seed(0)
    return DigitCNN(batchnorm=batchnorm)


def test_relu_inputs_are_what_batchnorm_gives() -> None:
    model, images = network(), torch.rand(8, 1, 28, 28)
    given = relu_inputs(model, images)
    first = model.train().conv1((images - 0.1307) / 0.3081)
    expected = (first - first.mean((0, 2, 3), keepdim=True)) / (
        first.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    torch.testing.assert_close(given["conv1"], expected, rtol=1e-4, atol=1e-4)
    assert given["hidden"].shape == (8, 500)


def test_measuring_changes_nothing() -> None:
    model, images, labels = network(), torch.rand(8, 1, 28, 28), torch.arange(8)
    setattr(model, "norm1", nn.Sequential(model.norm1, DriftingNoise()))  # noqa: B010
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    measure(model, images, labels, [0.1])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(weights.grad is None for weights in model.parameters())


def test_drift_is_in_deviations_and_logs() -> None:
    before = Units({"a": torch.tensor([0.0, 1.0])}, {"a": torch.tensor([2.0, 2.0])})
    after = Units({"a": torch.tensor([1.0, -2.0])}, {"a": torch.tensor([4.0, 1.0])})
    assert drift(before, after, "a") == pytest.approx((1.0, 0.6931), abs=1e-4)
    assert drift(before, before, "a") == (0, 0)


def test_a_unit_is_dead_when_no_image_makes_it_positive() -> None:
    values = torch.full((5, 4, 3, 3), -1.0)
    values[2, 0, 1, 1] = 0.5
    values[0, 3] = torch.nan
    assert dead_share(values) == 0.75


def test_smoothness_is_the_curvature_along_the_gradient() -> None:
    """For a short step it is the length of Hessian times unit gradient."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 4)).double()
    images, labels = torch.rand(6, 1, 3, 3).double(), torch.tensor([0, 1, 2, 3, 0, 1])
    weights = list(model.parameters())
    loss = F.cross_entropy(model(images), labels)
    gradient = torch.autograd.grad(loss, weights, create_graph=True)
    length = torch.cat([part.flatten() for part in gradient]).norm().detach()
    product = torch.autograd.grad(gradient, weights, [part.detach() for part in gradient])
    expected = torch.cat([part.flatten() for part in product]).norm() / length
    seen = landscape(model, images, labels, [1e-4])
    assert seen["smoothness"] == pytest.approx(float(expected), rel=1e-3)
    assert seen["loss_low"] == seen["loss_high"] < loss.item()
    assert seen["gradient_change"] == pytest.approx(1e-4 * float(expected * length), rel=1e-3)


def test_noise_drifts_in_training_only() -> None:
    torch.manual_seed(0)
    noise, x = DriftingNoise(), torch.randn(400, 3, 4, 4)
    assert torch.equal(noise.eval()(x), x)
    means = torch.stack([noise.train()(x).mean((0, 2, 3)) for _ in range(50)])
    assert means.abs().max() < 0.6
    assert means.std(0).min() > 0.2
    assert 0.95 < noise(x).std() < 1.5


def arm(**values: float) -> dict[str, Any]:
    """An arm that measures the same at every probe."""
    names = ("mean_drift", "scale_drift", "step_drift", "dead")
    layer = {name: [values.get(name, 0.1)] for name in names}
    return {
        "layers": {
            name: layer | {"gradient_norm": [values.get("first", 1.0)]}
            for name in ("conv1", "conv2", "conv3", "hidden")
        }
        | {"output": {"gradient_norm": [1.0]}},
        "landscape": {
            "loss_low": [0.0],
            "loss_high": [values.get("spread", 1.0)],
            "smoothness": [values.get("smoothness", 1.0)],
        },
        "mean_loss": values.get("loss", 1.0),
    }


def rates(with_: list[float], without: list[float], dead: float = 0.1) -> dict[str, Any]:
    return {
        "lr": [0.01, 0.1],
        "trains_from": 0.8,
        "with": {"accuracy": with_, "dead": [0.1, 0.1]},
        "without": {"accuracy": without, "dead": [0.1, dead]},
        "noisy": {"accuracy": with_, "dead": [0.1, 0.1]},
    }


Seed = tuple[dict[str, Any], dict[str, Any]]  # its arms and its short trainings
HELPED: Seed = (
    {
        "with": arm(mean_drift=0.1, scale_drift=0.1, loss=0.1, spread=0.1, smoothness=0.1),
        "without": arm(mean_drift=1, scale_drift=1, dead=0.5, first=0.001),
        "noisy": arm(loss=2),
    },
    rates([0.9, 0.9], [0.9, 0.1]),
)
USELESS: Seed = (
    {
        "with": arm(),
        "without": arm(mean_drift=0.1, scale_drift=0.05, step_drift=0.1),
        "noisy": arm(step_drift=1, loss=0.5),
    },
    rates([0.9, 0.1], [0.9, 0.9]),
)
BETWEEN: Seed = (
    {
        "with": arm(mean_drift=0.07, smoothness=0.7),
        "without": arm(first=0.05),
        "noisy": arm(loss=0.5, step_drift=0.01),
    },
    rates([0.9, 0.9], [0.9, 0.1], dead=0.9),
)


def judged(seeds: Sequence[Seed]) -> list[dict[str, Any]]:
    numbers = [of_seed(seed, *found) for seed, found in enumerate(seeds)]
    return [{**claim} for claim in claims(numbers, [0.01, 0.1], 0.8)]


def verdicts(seeds: Sequence[Seed]) -> list[str]:
    return [claim["verdict"] for claim in judged(seeds)]


def test_verdicts_follow_their_rules() -> None:
    assert verdicts([HELPED] * 3) == ["supported"] * 6
    assert verdicts([USELESS] * 3) == ["not supported"] * 6
    assert verdicts([BETWEEN] * 3)[:5] == ["mixed"] * 5


def test_seeds_that_disagree_leave_a_claim_undecided() -> None:
    found = judged([HELPED, USELESS, HELPED, USELESS])
    assert [claim["verdict"] for claim in found] == ["undecided"] * 6
    for claim in found:
        needed = re.search(r"4 seeds; about ([\d,]+) seeds would decide it$", claim["evidence"])
        assert needed
        assert int(needed[1].replace(",", "")) > 4
        assert "95 % interval" in claim["evidence"]
        assert "p = " in claim["evidence"]


@pytest.mark.parametrize(
    ("name", "place"), [("mean_drift", 0), ("scale_drift", 0), ("spread", 4), ("smoothness", 4)]
)
def test_a_half_is_asked_of_each_number_of_a_rule(name: str, place: int) -> None:
    own = {"mean_drift": 0.1, "scale_drift": 0.1, "spread": 0.1, "smoothness": 0.1}
    seed = ({**HELPED[0], "with": arm(**own | {name: 0.7})}, HELPED[1])
    assert verdicts([seed] * 3)[place] == "mixed"


@pytest.mark.parametrize("count", [1, 2])
def test_a_seed_or_two_decide_nothing(count: int) -> None:
    found = judged([HELPED] * count)
    assert {claim["verdict"] for claim in found} == {"undecided"}
    assert all(claim["evidence"].endswith(", too few") for claim in found)


def test_a_rule_looks_at_the_whole_interval() -> None:
    """Of 0.4, 0.5 and 0.55 times as much, the mean is below a half, and the interval is not."""
    seeds = [
        ({**HELPED[0], "with": arm(mean_drift=share, scale_drift=share, spread=0.1)}, HELPED[1])
        for share in (0.4, 0.5, 0.55)
    ]
    assert verdicts(seeds)[0] == "undecided"
    assert verdicts([*seeds[:1] * 3])[0] == "supported"


def test_the_command(
    dlproj: Dlproj, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batchnorm_diagnosis, "PROBE_IMAGES", 16)
    monkeypatch.setattr(batchnorm_study, "GRID", (0.02, 1000.0))
    line = ["ablate-batchnorm", "--data", tiny, "--seeds", 2, "--lr", 5, "--lr", 0.01]
    line += ["--images", 320, "--jobs", 1, "--diagnose"]
    done = dlproj(*line, "--json")
    assert done.code == 0, done.err
    diagnosis = done.json["metrics"]["diagnosis"]
    jsonschema.validate(
        diagnosis["claims"], {"type": "array", "minItems": 6, "items": schemas.CLAIM}
    )
    assert (diagnosis["lr"], diagnosis["seed"], diagnosis["seeds"]) == (0.01, 0, 2)
    assert diagnosis["arms"]["without"]["steps"] == [0, 1, 2, 3, 4, 5]
    assert diagnosis["rates"]["without"]["diverged"] == [False, True]
    own, other = (
        diagnosis["arms"][name]["layers"]["conv3"]["mean_drift"] for name in ("with", "without")
    )
    assert sum(own) < sum(other)
    first, second = diagnosis["by_seed"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["mean_loss"] != second["mean_loss"]
    assert first["mean_loss"]["with"] == diagnosis["arms"]["with"]["mean_loss"]
    run = tmp_path / "runs/ablate-batchnorm/1"
    assert {"layers", "landscape", "rates"} <= {path.stem for path in run.glob("*.png")}
    done = dlproj("ablate-batchnorm", "--resume", run)
    assert "What the measurements say" in done.out
    assert "…" not in done.out  # in a pipe, lines are whole


def test_a_run_that_was_cut_off_measures_only_what_is_missing(
    dlproj: Dlproj, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batchnorm_diagnosis, "PROBE_IMAGES", 16)
    monkeypatch.setattr(batchnorm_study, "GRID", (0.02,))
    line = ["ablate-batchnorm", "--data", tiny, "--seeds", 1, "--lr", 0.02, "--images", 128]
    line += ["--jobs", 1, "--diagnose", "--no-plots", "--json"]
    whole = dlproj(*line)
    assert whole.code == 0, whole.err
    run = tmp_path / "runs/ablate-batchnorm/1"
    (run / "result.json").unlink()
    records = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(records) == 8  # two of the ablation, three that are followed, three short ones
    (run / "metrics.jsonl").write_text("".join(records[:-2]), encoding="utf-8")
    again = dlproj("ablate-batchnorm", "--resume", run, "--json")
    assert again.code == 0, again.err
    assert again.json["metrics"] == whole.json["metrics"]
    assert again.err.count("brief") == 2

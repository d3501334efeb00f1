"""What normalisation is good for: BatchNorm, LayerNorm and GroupNorm against none, over seeds."""

import math
from collections.abc import Sequence
from itertools import islice
from statistics import fmean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.digits import Digits, to_pixels
from dlproj.diagnosis.batchnorm import PROBE_IMAGES, TEST_IMAGES, relu_inputs
from dlproj.diagnosis.batchnorm_study import nearest_rate
from dlproj.diagnosis.judge import Answer, above, below, judge, judge_test
from dlproj.diagnosis.samples import with_interval
from dlproj.errors import DivergedError
from dlproj.interrupts import interrupts
from dlproj.results import Explanation
from dlproj.settings import BatchnormConfig
from dlproj.statistics import compare, describe
from dlproj.training.device import Machine
from dlproj.training.loop import Batches, Training, accuracy, fit, predict

NAMES = {"with": "BatchNorm", "layer": "LayerNorm", "group": "GroupNorm"}
ARMS = ("without", *NAMES)
GROUPS = {"layer": 1, "group": 8}  # of channels that share a mean and a variance
PLAIN = "as it is"
SCALES = {"inputs": (0.1, 10.0), "weights": (0.3, 3.0)}  # what each is multiplied by
CONDITIONS = (PLAIN, *(f"{what} {scale:g}" for what, pair in SCALES.items() for scale in pair))
REACHED, WINDOW = 0.97, 16  # accuracy over so many batches, none of which was seen before
TRAIN_IMAGES = 5000  # whose accuracy is compared with that of the test images
NORMS, LAYERS = ("norm1", "norm2", "norm3"), ("conv1", "conv2", "conv3")
# What is worth anything: a tenth fewer steps, a tenth of a point, a point.
FASTER, POINTS_OF_GAP, POINTS_OF_SCALE = math.log(1.1), 0.001, 0.01


class GroupNorm(nn.GroupNorm):
    """The same; of channels that lie last, which torch's own takes eight times as long for."""

    def forward(self, x: Tensor) -> Tensor:
        """Activations (batch, channels, height, width) to the same shape, channels last again."""
        return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)


def put_in_place(model: nn.Module, groups: int) -> None:
    """GroupNorm (Wu & He 2018) where BatchNorm was; with one group, that is LayerNorm.

    It takes over the scale and the shift, which the optimiser knows.
    """
    for name in NORMS:
        batch: Any = model.get_submodule(name)
        norm = GroupNorm(groups, batch.num_features)
        norm.weight, norm.bias = batch.weight, batch.bias
        setattr(model, name, norm)


def cells(config: BatchnormConfig) -> dict[str, dict[str, Any]]:
    """Every training, by what it is called: at the rate nearest to the report's."""
    rate = nearest_rate(config)
    return {
        f"seed {seed}  {NAMES.get(arm, 'no norm')}  {condition}": {
            "lr": rate,
            "seed": seed,
            "arm": arm,
            "condition": condition,
        }
        for seed in range(config.seed, config.seed + config.seeds)
        for arm in ARMS
        for condition in CONDITIONS
    }


def train(
    training: Training,
    batches: Batches,
    digits: Digits,
    machine: Machine,
    epochs: int,
    condition: str,
) -> dict[str, Any]:
    """One training: to its end as it is, and to its half with other scales.

    Each sees the same batches in the same order. A training that diverges counts with what is left.
    """
    change_scale(training.model, condition)
    steps = epochs * len(batches)
    seen: dict[str, Any] = {"diverged": False}
    scores: list[float] = []
    fitting = fit(
        training,
        batches,
        loss_fn=F.cross_entropy,
        epochs=epochs,
        machine=machine,
        score=accuracy,
    )
    try:
        for step in islice(fitting, steps // 2):
            scores.append(step.score or 0.0)
            interrupts.check()
        if condition == PLAIN:
            seen["half_accuracy"] = _accuracy(training.model, digits.test, machine, TEST_IMAGES)
            for step in fitting:
                scores.append(step.score or 0.0)
                interrupts.check()
    except DivergedError:
        seen["diverged"] = True
    few = None if condition == PLAIN else TEST_IMAGES
    seen["accuracy"] = _accuracy(training.model, digits.test, machine, few)
    if condition != PLAIN:
        return seen
    images = to_pixels(digits.train.pictures[:PROBE_IMAGES]).to(machine.device)
    return {
        "half_accuracy": seen["accuracy"],
        **seen,
        "train_accuracy": _accuracy(training.model, digits.train, machine, TRAIN_IMAGES),
        "steps": steps_to(scores, steps),
        "given": moments(training.model, images),
    }


def change_scale(model: nn.Module, condition: str) -> None:
    """Multiply what the first layer is given, or the first weights of all but the last."""
    if condition == PLAIN:
        return
    what, scale = condition.split()
    if what == "inputs":
        first: Any = model.get_submodule("conv1")
        first.register_forward_pre_hook(lambda _module, inputs: (float(scale) * inputs[0],))
        return
    with torch.no_grad():
        for name in (*LAYERS, "hidden"):
            model.get_parameter(f"{name}.weight").mul_(float(scale))


def steps_to(scores: Sequence[float], steps: int) -> int:
    """Steps until the mean accuracy of the last batches is reached; if never, one more than all."""
    for end in range(WINDOW, len(scores) + 1):
        if math.fsum(scores[end - WINDOW : end]) / WINDOW >= REACHED:
            return end
    return steps + 1


def moments(model: nn.Module, images: Tensor) -> dict[str, float]:
    """What ReLUs after convolutions are given, over the units: |mean|, deviation, excess kurtosis.

    `scaled_mean` and `scaled_deviation` are those before the scale and shift that are learnt.
    """
    given = relu_inputs(model, images)
    rows = []
    for norm, layer in zip(NORMS, LAYERS, strict=True):
        values = given[layer].transpose(0, 1).flatten(1).double()  # (units, examples)
        mean, deviation = values.mean(1), values.std(1, correction=0).clamp(min=1e-12)
        module: Any = model.get_submodule(norm)
        scale, shift = getattr(module, "weight", 1.0), getattr(module, "bias", 0.0)
        standard = (values - mean[:, None]) / deviation[:, None]
        own = (mean.abs(), deviation, standard.pow(4).mean(1) - 3)
        scaled = (((mean - shift) / scale).abs(), deviation / abs(scale))
        rows.append(torch.stack([*own, *scaled]).mean(1))
    names = ("mean", "deviation", "kurtosis", "scaled_mean", "scaled_deviation")
    return dict(zip(names, torch.stack(rows).nan_to_num().mean(0).tolist(), strict=True))


def _accuracy(model: nn.Module, images: Any, machine: Machine, most: int | None = None) -> float:
    pixels = to_pixels(images.pictures[:most]).to(machine.device)
    logits = predict(model, pixels, machine=machine)
    return accuracy(logits, images.labels[:most].to(machine.device))


def study(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """All trainings together: each arm over the seeds, and what they say of the report."""
    arms = {arm: _of_arm([run for run in runs if run["arm"] == arm]) for arm in ARMS}
    seeds = len(arms["without"]["gap"]["values"])
    found = {"lr": runs[0]["lr"], "seeds": seeds, "arms": arms}
    return found | {"claims": claims(arms)}


def _of_arm(runs: list[dict[str, Any]]) -> dict[str, Any]:
    by_condition = {
        condition: [run for run in runs if run["condition"] == condition]
        for condition in CONDITIONS
    }
    plain = by_condition[PLAIN]
    given = {name: describe([run["given"][name] for run in plain]) for name in plain[0]["given"]}
    found = {
        "accuracy": describe([run["accuracy"] for run in plain]),
        "steps": describe([float(run["steps"]) for run in plain]),
        "gap": describe([run["train_accuracy"] - run["accuracy"] for run in plain]),
        "given": {name: summary["mean"] for name, summary in given.items()},
        "given_by_seed": given,
        "diverged": {
            name: sum(run["diverged"] for run in by_condition[name]) for name in CONDITIONS
        },
    }
    for what, scales in SCALES.items():
        worst = [
            run["half_accuracy"]
            - min(by_condition[f"{what} {scale:g}"][index]["accuracy"] for scale in scales)
            for index, run in enumerate(plain)
        ]
        found[what] = describe(worst)
    return found


def claims(arms: dict[str, Any]) -> list[Explanation]:
    """What the report says of normalisation, of each kind of it; all tests adjusted together."""
    none = arms["without"]
    logs = {arm: [math.log(steps) for steps in arms[arm]["steps"]["values"]] for arm in ARMS}
    pairs = {}
    for arm in NAMES:
        pairs[arm, "steps"] = (logs["without"], logs[arm])
        for what in ("gap", *SCALES):
            pairs[arm, what] = (none[what]["values"], arms[arm][what]["values"])
    tests = dict(zip(pairs, compare([*pairs.values()]), strict=True))
    found = []
    for arm, name in NAMES.items():
        found += [
            _faster(name, arms[arm], none, tests[arm, "steps"]),
            _generalises(name, arms[arm], none, tests[arm, "gap"]),
            *(_frees(name, what, arms[arm], none, tests[arm, what]) for what in SCALES),
        ]
    given = {
        arm: {name: each["values"] for name, each in arms[arm]["given_by_seed"].items()}
        for arm in ("with", "without")
    }
    return [*found, _standardises(given["with"], given["without"]), _normal(given["with"])]


def _faster(
    name: str, own: dict[str, Any], none: dict[str, Any], test: dict[str, Any]
) -> Explanation:
    """Of the logarithms of the steps until 97 %. What matters is a factor of 1.1."""
    low, high = (math.exp(bound) for bound in test["ci95"])
    return judge_test(
        f"{name} speeds training up",
        test,
        matters=FASTER,
        evidence=f"{own['steps']['mean']:.0f} steps until {REACHED:.0%} of unseen images are read "
        f"with it, {none['steps']['mean']:.0f} without; that is {math.exp(test['difference']):.2f} "
        f"times as fast ({low:.2f} to {high:.2f}). In logarithms",
    )


def _generalises(
    name: str, own: dict[str, Any], none: dict[str, Any], test: dict[str, Any]
) -> Explanation:
    """Of the accuracy on training images less that on test images. What matters is 0.1 points."""
    return judge_test(
        f"{name} improves generalisation (lessens over-fitting)",
        test,
        matters=POINTS_OF_GAP,
        evidence=f"training images are read better than test images by "
        f"{100 * own['gap']['mean']:+.2f} points with it, {100 * none['gap']['mean']:+.2f} without",
    )


def _frees(
    name: str, what: str, own: dict[str, Any], none: dict[str, Any], test: dict[str, Any]
) -> Explanation:
    """Of the accuracy that the worse of two scales costs half-way. What matters is a point."""
    scales = " or ".join(f"{scale:g}" for scale in SCALES[what])
    named = {"inputs": "inputs", "weights": "first weights"}[what]
    return judge_test(
        f"{name} lessens the dependence on the scale of {named}",
        test,
        matters=POINTS_OF_SCALE,
        evidence=f"{named} times {scales} cost {100 * own[what]['mean']:.1f} points with it, "
        f"{100 * none[what]['mean']:.1f} without",
    )


def _standardises(own: dict[str, list[float]], none: dict[str, list[float]]) -> Explanation:
    """Supported: what the next layer is given has a mean within 0.1, a deviation within 10 % of 1.

    Not supported: that does not even hold before the scale and shift that are learnt.
    """

    def standard(mean: list[float], deviation: list[float]) -> Answer:
        return below(mean, 0.1) & above(deviation, 0.9) & below(deviation, 1.1)

    shown = {name: with_interval(values, ".2f") for name, values in own.items()}
    return judge(
        "BatchNorm makes what the next function is given of mean 0 and variance 1",
        supported=standard(own["mean"], own["deviation"]),
        refuted=~standard(own["scaled_mean"], own["scaled_deviation"]),
        evidence=f"before its scale and shift the units have |mean| {shown['scaled_mean']} and "
        f"deviation {shown['scaled_deviation']}; after them, which is what the ReLU is given, "
        f"{shown['mean']} and {shown['deviation']}; without it {fmean(none['mean']):.2f} and "
        f"{fmean(none['deviation']):.2f}",
        sampled=len(own["mean"]),
    )


def _normal(own: dict[str, list[float]]) -> Explanation:
    """By the units' excess kurtosis, normally 0. Supported: below 0.5. Not: above 1."""
    size = [abs(kurtosis) for kurtosis in own["kurtosis"]]
    return judge(
        "what BatchNorm gives on is normally distributed",
        supported=below(size, 0.5),
        refuted=above(size, 1),
        evidence=f"the excess kurtosis of the units is {with_interval(own['kurtosis'], '.1f')} on "
        "average; 0 is normal",
        sampled=len(size),
    )

"""What the measurements of `ablate-batchnorm --diagnose` say, by rules stated with each claim."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from dlproj.diagnosis.judge import judge
from dlproj.results import Explanation

DRIFTING = ("conv1", "conv2", "conv3")  # the layers that BatchNorm follows


def claims(measured: dict[str, Any]) -> list[Explanation]:
    """The report's explanations, and those of Santurkar et al. 2018."""
    arms, rates = measured["arms"], measured["rates"]
    return [
        _removes_drift(arms),
        _drift_is_what_hurts(arms),
        _prevents_dead_units(arms, rates),
        _prevents_vanishing(arms),
        _smooths(arms),
        _widens_rates(rates),
    ]


def mean_over(
    arm: dict[str, Any], what: str, layers: Sequence[str] = (*DRIFTING, "hidden")
) -> float:
    """Mean of a measurement over layers and time."""
    return fmean(value for layer in layers for value in arm["layers"][layer][what])


def _removes_drift(arms: dict[str, Any]) -> Explanation:
    """Supported: mean and scale drift half as much with it. Not: neither drifts less."""
    ratios, parts = [], []
    for what in ("mean", "scale"):
        own, other = (mean_over(arms[arm], f"{what}_drift") for arm in ("with", "without"))
        ratios.append(own / max(other, 1e-9))
        parts.append(f"{what}s move {own:.2f} with and {other:.2f} without")
    hidden = [mean_over(arms[arm], "mean_drift", ["hidden"]) for arm in ("with", "without")]
    return judge(
        "BatchNorm removes the drift of layer inputs (internal covariate shift)",
        supported=max(ratios) <= 0.5,
        refuted=min(ratios) >= 1,
        evidence=f"between probes {parts[0]} (in deviations), {parts[1]} (in log units); "
        f"means of the hidden layer, which it does not follow, {hidden[0]:.2f} and {hidden[1]:.2f}",
    )


def _drift_is_what_hurts(arms: dict[str, Any]) -> Explanation:
    """Noise that drifts is put after BatchNorm. Supported: it trains no better than without.

    Not supported: it drifts more at each step than without BatchNorm, and yet trains better. How
    well is the mean loss over the whole training.
    """
    drift = {arm: mean_over(arms[arm], "step_drift") for arm in arms}
    loss = {arm: arms[arm]["mean_loss"] for arm in arms}
    names = {"with": "with", "noisy": "with noise after it", "without": "without"}
    return judge(
        "less drift is why training goes better",
        supported=loss["noisy"] >= loss["without"] > loss["with"],
        refuted=drift["noisy"] > drift["without"] and loss["noisy"] < loss["without"],
        evidence="drift in a step and mean loss: "
        + "; ".join(f"{names[arm]} {drift[arm]:.3f} and {loss[arm]:.3f}" for arm in names),
    )


def _prevents_dead_units(arms: dict[str, Any], rates: dict[str, Any]) -> Explanation:
    """Supported: one unit in a hundred more is dead without it at the rate that is followed.

    Not supported: nor at any other rate. Mixed: only at other rates.
    """
    last = {
        arm: fmean(arms[arm]["layers"][layer]["dead"][-1] for layer in (*DRIFTING, "hidden"))
        for arm in ("with", "without")
    }
    pairs = zip(rates["lr"], rates["with"]["dead"], rates["without"]["dead"], strict=True)
    worst, own, other = max(pairs, key=lambda row: row[2] - row[1])
    return judge(
        "BatchNorm keeps ReLU units from dying (saturation)",
        supported=last["without"] > last["with"] + 0.01,
        refuted=max(last["without"] - last["with"], other - own) <= 0.01,
        evidence=f"at the end {last['with']:.1%} of the units are dead with and "
        f"{last['without']:.1%} without; at rate {worst:g} {own:.1%} and {other:.1%}",
    )


def _prevents_vanishing(arms: dict[str, Any]) -> Explanation:
    """The gradient of the first layer by that of the last, a geometric mean over the training.

    Supported: below a hundredth without, and ten times more with. Not: above a tenth without.
    """
    ratio = {}
    for arm in ("with", "without"):
        first, last = (arms[arm]["layers"][layer]["gradient_norm"] for layer in ("conv1", "output"))
        logs = [
            math.log(max(one, 1e-12) / max(other, 1e-12))
            for one, other in zip(first, last, strict=True)
        ]
        ratio[arm] = math.exp(fmean(logs))
    return judge(
        "BatchNorm prevents vanishing gradients",
        supported=ratio["without"] < 0.01 and ratio["with"] > 10 * ratio["without"],
        refuted=ratio["without"] > 0.1,
        evidence=f"the first layer's gradient is {ratio['with']:.2f} times the last layer's with "
        f"and {ratio['without']:.2f} times without",
    )


def _smooths(arms: dict[str, Any]) -> Explanation:
    """Supported: loss and gradient change half as much along the gradient. Not: no less."""
    spread, change = {}, {}
    for arm in ("with", "without"):
        seen = arms[arm]["landscape"]
        spread[arm] = fmean(
            high - low for low, high in zip(seen["loss_low"], seen["loss_high"], strict=True)
        )
        change[arm] = fmean(seen["smoothness"])
    ratios = [values["with"] / max(values["without"], 1e-9) for values in (spread, change)]
    return judge(
        "BatchNorm makes the loss smoother (Santurkar et al. 2018)",
        supported=max(ratios) <= 0.5,
        refuted=min(ratios) >= 1,
        evidence=f"along the gradient the loss varies by {spread['with']:.3g} with and "
        f"{spread['without']:.3g} without; the gradient changes {change['with']:.3g} and "
        f"{change['without']:.3g} times the step",
    )


def _widens_rates(rates: dict[str, Any]) -> Explanation:
    """Supported: more of the rates tried train with it than without. Not: fewer, or as many."""
    ranges = {
        arm: [
            lr
            for lr, reached in zip(rates["lr"], rates[arm]["accuracy"], strict=True)
            if reached >= rates["trains_from"]
        ]
        for arm in ("with", "without", "noisy")
    }
    spans = {
        arm: f"{min(own):g} to {max(own):g}" if own else "nowhere" for arm, own in ranges.items()
    }
    return judge(
        "BatchNorm trains at a wider range of learning rates, and faster",
        supported=len(ranges["with"]) > len(ranges["without"]),
        refuted=len(ranges["with"]) <= len(ranges["without"]),
        evidence=f"a short training reaches {rates['trains_from']:.0%} at {spans['with']} with, "
        f"{spans['noisy']} with noise after it, {spans['without']} without",
    )

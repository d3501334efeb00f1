"""What the measurements of `ablate-batchnorm --diagnose` say, by rules stated with each claim.

Each rule has thresholds. That a number lies beyond one holds where the whole 95 % interval of its
mean over seeds does, and fails where none of it does; else it is open, and the claim undecided.
Ratios are means of logarithms. The arms of a seed make a pair.
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from dlproj.diagnosis.judge import Answer, above, below, judge
from dlproj.diagnosis.samples import (
    difference_in_words,
    differences,
    log_ratios,
    logs,
    ratio_in_words,
    with_interval,
)
from dlproj.results import Explanation

DRIFTING = ("conv1", "conv2", "conv3")  # the layers that BatchNorm follows
HALF = math.log(1 / 2)
FEW = 0.01  # of the units

Seeds = Sequence[dict[str, Any]]  # of each seed what `of_seed` found


def of_seed(seed: int, arms: dict[str, Any], rates: dict[str, Any]) -> dict[str, Any]:
    """The numbers of one seed that the claims are about, each by arm."""
    names = ("with", "without", "noisy")
    layers = (*DRIFTING, "hidden")
    return {
        "seed": seed,
        "mean_drift": {arm: mean_over(arms[arm], "mean_drift", layers) for arm in names},
        "scale_drift": {arm: mean_over(arms[arm], "scale_drift", layers) for arm in names},
        "hidden_drift": {arm: mean_over(arms[arm], "mean_drift", ["hidden"]) for arm in names},
        "step_drift": {arm: mean_over(arms[arm], "step_drift", layers) for arm in names},
        "mean_loss": {arm: arms[arm]["mean_loss"] for arm in names},
        "dead": {
            arm: fmean(arms[arm]["layers"][layer]["dead"][-1] for layer in layers) for arm in names
        },
        "gradient_ratio": {arm: gradient_ratio(arms[arm]["layers"]) for arm in names},
        "loss_range": {arm: loss_range(arms[arm]["landscape"]) for arm in names},
        "smoothness": {arm: fmean(arms[arm]["landscape"]["smoothness"]) for arm in names},
        "dead_by_rate": {arm: rates[arm]["dead"] for arm in names},
        "rates_that_train": {
            arm: [
                lr
                for lr, reached in zip(rates["lr"], rates[arm]["accuracy"], strict=True)
                if reached >= rates["trains_from"]
            ]
            for arm in names
        },
    }


def mean_over(arm: dict[str, Any], what: str, layers: Sequence[str]) -> float:
    """Mean of a measurement over layers and time."""
    return fmean(value for layer in layers for value in arm["layers"][layer][what])


def gradient_ratio(layers: dict[str, Any]) -> float:
    """The gradient of the first layer by that of the last, a geometric mean over the training."""
    first, last = (layers[name]["gradient_norm"] for name in ("conv1", "output"))
    return math.exp(fmean(log_ratios(first, last)))


def loss_range(landscape: dict[str, Any]) -> float:
    """By how much the loss varies along the gradient, a mean over the training."""
    pairs = zip(landscape["loss_low"], landscape["loss_high"], strict=True)
    return fmean(high - low for low, high in pairs)


def claims(seeds: Seeds, rates: Sequence[float], trains_from: float) -> list[Explanation]:
    """The report's explanations, and those of Santurkar et al. 2018."""
    return [
        _removes_drift(seeds),
        _drift_is_what_hurts(seeds),
        _prevents_dead_units(seeds, rates),
        _prevents_vanishing(seeds),
        _smooths(seeds),
        _widens_rates(seeds, trains_from),
    ]


def _of(seeds: Seeds, what: str, arm: str) -> list[float]:
    return [seed[what][arm] for seed in seeds]


def _pair(seeds: Seeds, what: str) -> tuple[list[float], list[float]]:
    return _of(seeds, what, "with"), _of(seeds, what, "without")


def _means(seeds: Seeds, what: str, form: str, *arms: str) -> list[str]:
    return [f"{fmean(_of(seeds, what, arm)):{form}}" for arm in arms or ("with", "without")]


def _removes_drift(seeds: Seeds) -> Explanation:
    """Supported: mean and scale drift half as much with it. Not: neither drifts less."""
    pairs = {what: _pair(seeds, f"{what}_drift") for what in ("mean", "scale")}
    mean, scale = (log_ratios(*pair) for pair in pairs.values())
    parts = {
        what: f"{what}s move {' with and '.join(_means(seeds, f'{what}_drift', '.2f'))} without"
        for what in pairs
    }
    hidden = " and ".join(_means(seeds, "hidden_drift", ".2f"))
    return judge(
        "BatchNorm removes the drift of layer inputs (internal covariate shift)",
        supported=below(mean, HALF) & below(scale, HALF),
        refuted=~below(mean, 0) & ~below(scale, 0),
        evidence=f"between probes {parts['mean']} (in deviations), "
        f"{ratio_in_words(*pairs['mean'])} as far; {parts['scale']} (in log units), "
        f"{ratio_in_words(*pairs['scale'])} as far; means of the hidden layer, which it does not "
        f"follow, {hidden}",
        sampled=len(seeds),
    )


def _drift_is_what_hurts(seeds: Seeds) -> Explanation:
    """Noise that drifts is put after BatchNorm. Supported: it trains no better than without.

    Not supported: it drifts more at each step than without BatchNorm, and yet trains better. How
    well is the mean loss over the whole training.
    """
    drift, loss = (
        {arm: _of(seeds, what, arm) for arm in ("with", "noisy", "without")}
        for what in ("step_drift", "mean_loss")
    )
    names = {"with": "with", "noisy": "with noise after it", "without": "without"}
    worse = log_ratios(loss["noisy"], loss["without"])
    helped = log_ratios(loss["without"], loss["with"])
    farther = log_ratios(drift["noisy"], drift["without"])
    return judge(
        "less drift is why training goes better",
        supported=~below(worse, 0) & above(helped, 0),
        refuted=above(farther, 0) & below(worse, 0),
        evidence="drift in a step and mean loss: "
        + "; ".join(
            f"{names[arm]} {fmean(drift[arm]):.3f} and {fmean(loss[arm]):.3f}" for arm in names
        )
        + f"; with noise it drifts {ratio_in_words(drift['noisy'], drift['without'])} as far as "
        f"without, and the loss is {ratio_in_words(loss['noisy'], loss['without'])} that without",
        sampled=len(seeds),
    )


def _prevents_dead_units(seeds: Seeds, rates: Sequence[float]) -> Explanation:
    """Supported: one unit in a hundred more is dead without it at the rate that is followed.

    Not supported: nor at any other rate. Mixed: only at other rates.
    """
    own, none = _pair(seeds, "dead")
    here = differences(none, own)
    others = [
        [
            seed["dead_by_rate"]["without"][index] - seed["dead_by_rate"]["with"][index]
            for seed in seeds
        ]
        for index in range(len(rates))
    ]
    nowhere = Answer(holds=True)
    for more in (here, *others):
        nowhere &= ~above(more, FEW)
    worst = max(range(len(rates)), key=lambda index: fmean(others[index]))
    there = [
        fmean(seed["dead_by_rate"][arm][worst] for seed in seeds) for arm in ("with", "without")
    ]
    return judge(
        "BatchNorm keeps ReLU units from dying (saturation)",
        supported=above(here, FEW),
        refuted=nowhere,
        evidence=f"at the end {fmean(own):.1%} of the units are dead with and {fmean(none):.1%} "
        f"without, a difference of {difference_in_words(none, own, '.2%')}; at rate "
        f"{rates[worst]:g} {there[0]:.1%} and {there[1]:.1%}",
        sampled=len(seeds),
    )


def _prevents_vanishing(seeds: Seeds) -> Explanation:
    """The gradient of the first layer by that of the last, a geometric mean over the training.

    Supported: below a hundredth without, and ten times more with. Not: above a tenth without.
    """
    own, none = _pair(seeds, "gradient_ratio")
    return judge(
        "BatchNorm prevents vanishing gradients",
        supported=below(logs(none), math.log(0.01)) & above(log_ratios(own, none), math.log(10)),
        refuted=above(logs(none), math.log(0.1)),
        evidence=f"the first layer's gradient is {fmean(own):.2f} times the last layer's with and "
        f"{with_interval(none, '.2f')} without; that is {ratio_in_words(own, none)} as much with",
        sampled=len(seeds),
    )


def _smooths(seeds: Seeds) -> Explanation:
    """Supported: loss and gradient change half as much along the gradient. Not: no less."""
    loss, gradient = (_pair(seeds, what) for what in ("loss_range", "smoothness"))
    logs_of_loss, logs_of_gradient = log_ratios(*loss), log_ratios(*gradient)
    return judge(
        "BatchNorm makes the loss smoother (Santurkar et al. 2018)",
        supported=below(logs_of_loss, HALF) & below(logs_of_gradient, HALF),
        refuted=~below(logs_of_loss, 0) & ~below(logs_of_gradient, 0),
        evidence=f"along the gradient the loss varies by "
        f"{' with and '.join(_means(seeds, 'loss_range', '.3g'))} without, {ratio_in_words(*loss)} "
        f"as much; the gradient changes {' and '.join(_means(seeds, 'smoothness', '.3g'))} times "
        f"the step, {ratio_in_words(*gradient)} as much",
        sampled=len(seeds),
    )


def _widens_rates(seeds: Seeds, trains_from: float) -> Explanation:
    """Supported: more of the rates tried train with it than without. Not: fewer, or as many."""
    number = {
        arm: [float(len(seed["rates_that_train"][arm])) for seed in seeds]
        for arm in ("with", "without")
    }
    more = differences(number["with"], number["without"])
    spans = {arm: _span(seeds, arm) for arm in ("with", "noisy", "without")}
    return judge(
        "BatchNorm trains at a wider range of learning rates, and faster",
        supported=above(more, 0),
        refuted=~above(more, 0),
        evidence=f"a short training reaches {trains_from:.0%} at {spans['with']} with, "
        f"{spans['noisy']} with noise after it, {spans['without']} without, in every seed; with it "
        f"at {difference_in_words(number['with'], number['without'], '.1f')} more of the rates "
        "tried",
        sampled=len(seeds),
    )


def _span(seeds: Seeds, arm: str) -> str:
    """From the lowest to the highest rate that trains in every seed."""
    shared = set.intersection(*(set(seed["rates_that_train"][arm]) for seed in seeds))
    return f"{min(shared):g} to {max(shared):g}" if shared else "no rate"

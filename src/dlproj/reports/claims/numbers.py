"""The numbers that the report states, each with what the runs at hand say of it."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from dlproj.diagnosis.samples import describe_test
from dlproj.reports.claims.base import ENOUGH, WORDS, Claim, at_report_settings, sample
from dlproj.reports.finished import Finished
from dlproj.statistics import compare, decide, describe, pairs_to_decide, prediction_interval

COURSE_MODEL = "mnist_lenet.pt"
ABLATION = "ablate-batchnorm --recipe report"
RATE = 0.02  # of the report's digits
WORTH = 1.07  # of BatchNorm, in points of accuracy: 98.84 % - 97.77 %
ARMS = ("with", "without")


def accuracy(runs: Sequence[Finished]) -> Claim:
    """One number of one run."""
    return _one_run(
        "the CNN reads 98.84% of the test images",
        0.9884,
        [*sample(runs, "train-digits", "test_accuracy").values()],
        "train-digits --recipe report --seeds 6",
    )


def without(runs: Sequence[Finished]) -> Claim:
    """One number of one run."""
    return _one_run(
        "without BatchNorm, 97.77%",
        0.9777,
        [value for arms in ablations(runs) for value in arms["without"]],
        ABLATION,
    )


def curve(runs: Sequence[Finished]) -> Claim:
    """One number of one run."""
    return _one_run(
        "the loss on sin(x) is 0.000313",
        0.000313,
        [*sample(runs, "train-regression", "test_loss").values()],
        "train-regression --recipe report --seeds 10",
    )


def words(runs: Sequence[Finished]) -> Claim:
    """One number of one run."""
    return _one_run(
        "the GRU names the language of 88.20% of the words",
        0.882,
        [*sample(runs, "train-langid", "test_accuracy").values()],
        WORDS,
    )


def ablations(runs: Sequence[Finished]) -> list[dict[str, list[float]]]:
    """Accuracies with and without BatchNorm at the report's settings, one pair for each seed."""
    return [
        {arm: cell[arm]["values"] for arm in ARMS}
        for run in at_report_settings(runs, "ablate-batchnorm")
        for cell in run.metrics["cells"]
        if cell["lr"] == RATE and run.config["data"] is None
    ]


def _one_run(claim: str, stated: float, values: Sequence[float], command: str) -> Claim:
    """A number from a single run: reproduced where one more run here could well give it.

    Losses spread over factors, so that their interval is one of logarithms.
    """
    if not values:
        return Claim(claim, command)
    small = stated < 0.1  # a loss
    measured = _spread(values, small=small)
    if len(values) < ENOUGH:
        return Claim(claim, command, measured, "too few seeds", f"{ENOUGH} are needed")
    if small:
        low, high = map(math.exp, prediction_interval([*map(math.log, values)]))
        interval = f"{low:.2g} to {high:.2g}"
    else:
        low, high = prediction_interval(values)
        interval = f"{low:.2%} to {min(high, 1):.2%}"
    inside = low <= stated <= high
    return Claim(
        claim,
        command,
        measured,
        "reproduced" if inside else "not reproduced",
        f"95 of 100 single runs fall in {interval}",
    )


def _spread(values: Sequence[float], *, small: bool) -> str:
    """A sample in words."""
    seeds = f"{len(values)} seed" + "s" * (len(values) > 1)
    if small:
        return f"median {median(values):.2g} ({min(values):.2g} to {max(values):.2g}), {seeds}"
    summary = describe(values)
    low, high = summary["ci95"]
    return (
        f"{summary['mean']:.2%} ± {summary['std']:.2%} (95 % interval of the mean {low:.2%} to "
        f"{high:.2%}), {seeds}"
    )


def worth(runs: Sequence[Finished]) -> Claim:
    """Reproduced where the interval of the paired difference holds the claim and excludes 0.

    Undecided where it holds both.
    """
    claim, command = "BatchNorm is worth 1.07 points", ABLATION
    arms = ablations(runs)
    if not arms:
        return Claim(claim, command)
    own, other = ([100 * value for pair in arms for value in pair[arm]] for arm in ARMS)
    (test,) = compare([(own, other)])
    measured = f"{test['difference']:+.2f} points, {len(own)} seeds, paired"
    if len(own) < ENOUGH:
        return Claim(claim, command, measured, "too few seeds", f"{ENOUGH} are needed")
    decision, reason = decide(test, WORTH), f"{describe_test(test)}, in points"
    if decision == "undecided":
        needed = pairs_to_decide(test, WORTH)
        reason += f"; about {needed:,} seeds would decide it"
        return Claim(claim, command, measured, "undecided", reason)
    shown = decision == "more" and test["ci95"][0] <= WORTH
    verdict = "reproduced" if shown else "not reproduced"
    return Claim(claim, command, measured, verdict, reason)


def fooled(runs: Sequence[Finished]) -> Claim:
    """FGSM on the course's network; no chance is involved."""
    claim = "FGSM at ε = 0.2 leaves less than half"
    command = f"attack --epsilon 0.2 --model {COURSE_MODEL}"
    left: list[float] = [
        row["accuracy"]
        for run in runs
        if run.command == "attack" and Path(run.metrics["model"]).name == COURSE_MODEL
        if run.config["data"] is None and run.config["limit"] is None
        for row in run.metrics["attacks"]
        if (row["method"], row["norm"], row["epsilon"]) == ("fgsm", "linf", 0.2)
        if not row["targeted"]
    ]
    if not left:
        return Claim(claim, command)
    verdict = "reproduced" if max(left) < 0.5 else "not reproduced"
    return Claim(claim, command, f"{left[0]:.2%} of 10,000 images", verdict, "nothing is random")

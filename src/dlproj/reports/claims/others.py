"""What the report says of its curve and of its attack."""

import math
from statistics import median

from dlproj.reports.claims.base import (
    Claim,
    Runs,
    by_rule,
    by_tests,
    mean,
    on_the_courses_data,
    sample,
    sweeps_of,
    values_by_seed,
)
from dlproj.statistics import prediction_interval
from dlproj.store.runs import RunDir

CURVE = "train-regression --recipe report --seeds 10"
RATES = "sweep train-regression --recipe report --lr 0.001,0.005,0.02,0.05,0.1 --seeds 5"
ATTACK = "attack --model mnist_lenet.pt"
ROBUST = "attack --method pgd --limit 2000 --model src/dlproj/trained/robust.safetensors"
ASKED = 0.02  # the loss that the course asks for
FACTOR = math.log(2)  # of a loss, that is worth anything


def far_below(runs: Runs) -> Claim:
    """Supported: 95 of 100 runs stay below a tenth of 0.02. Not: half of them do not."""
    claim = "the loss on sin(x) is far below 0.02"
    values = [*sample(runs, "train-regression", "test_loss").values()]
    if not values:
        return Claim(claim, CURVE)
    measured = f"median {median(values):.2g}, largest {max(values):.2g}, {len(values)} seeds"
    high = math.exp(prediction_interval([*map(math.log, values)])[1]) if values[1:] else 0.0
    return by_rule(
        claim,
        CURVE,
        measured,
        f"95 of 100 runs stay below {high:.2g}; a tenth of 0.02 is 0.002",
        supported=high < ASKED / 10,
        refuted=median(values) >= ASKED / 10,
        seeds=len(values),
    )


def adam(runs: Runs) -> Claim:
    """No other rate of a sweep halves the validation loss."""
    claim = "Adam with a rate of 0.05 is a good choice"
    for run in sweeps_of(runs, "train-regression", {"lr"}):
        cells = {
            cell["settings"]["lr"]: {
                seed: math.log(value) for seed, value in values_by_seed(cell).items()
            }
            for cell in run.metrics["cells"]
            if cell["score"]
        }
        own = cells.pop(0.05, None)
        if own is None or not cells:
            continue
        best = min(cells, key=lambda rate: mean(cells[rate]))
        return by_tests(
            claim,
            RATES,
            f"validation loss {math.exp(mean(own)):.2g} (geometric mean); the best other rate, "
            f"{best:g}, has {math.exp(mean(cells[best])):.2g}",
            [(own, other) for other in cells.values()],
            matters=FACTOR,
            harmless=True,
        )
    return Claim(claim, RATES)


def validates(runs: Runs) -> Claim:
    """Supported: a run has as many validation losses as epochs."""
    claim = "each epoch has a validation loss"
    for run in on_the_courses_data(runs, "train-regression"):
        path = run.path / f"seed-{run.seeds[0]}" if len(run.seeds) > 1 else run.path
        found = sum("validation_loss" in record for record in RunDir(path).records())
        epochs = run.config["epochs"]
        return by_rule(
            claim,
            CURVE,
            f"{found} in {epochs} epochs",
            "",
            supported=found == epochs,
            refuted=found != epochs,
        )
    return Claim(claim, CURVE)


def within_epsilon(runs: Runs) -> Claim:
    """Supported: no pixel of any image moved farther, to the last bits. The attack checks it."""
    claim = "each pixel moves by at most ε, and stays in [0, 1]"
    rows = [
        row
        for run in runs
        if run.command == "attack"
        for row in run.metrics["attacks"]
        if row["method"] == "fgsm" and row["norm"] == "linf"
    ]
    if not rows:
        return Claim(claim, ATTACK)
    worst = max(row["max_perturbation"] - row["epsilon"] for row in rows)
    return by_rule(
        claim,
        ATTACK,
        f"farthest beyond ε, in {len(rows)} attacks: {max(worst, 0):.1g}",
        "",
        supported=worst < 1e-6,
        refuted=worst >= 1e-6,
    )


def no_gradient_in_evaluation(runs: Runs) -> Claim:
    """Not supported: an attack that follows the gradient, in evaluation mode, fools an image."""
    claim = "evaluation mode makes sure that no gradients are computed"
    shares = [
        row["success_rate"]
        for run in runs
        if run.command == "attack"
        for row in run.metrics["attacks"]
        if row["method"] == "fgsm" and row["epsilon"]
    ]
    if not shares:
        return Claim(claim, ATTACK)
    return by_rule(
        claim,
        ATTACK,
        f"the network is in evaluation mode, and its gradient fools up to {max(shares):.1%}",
        "that mode is about BatchNorm and dropout",
        supported=max(shares) == 0,
        refuted=max(shares) > 0,
    )


def can_be_robust(runs: Runs) -> Claim:
    """At the largest ε at which PGD met both networks.

    Supported: it leaves the ordinary one less than half, and the robust one 20 points more. Not
    supported: it leaves the ordinary one nine in ten, or the robust one no more.
    """
    claim = "networks have to be made robust, and can be"
    left: dict[bool, dict[float, float]] = {True: {}, False: {}}
    for run in runs:
        if run.command == "attack" and run.config["data"] is None:
            for row in run.metrics["attacks"]:
                if (row["method"], row["norm"], row["targeted"]) == ("pgd", "linf", False):
                    robust = run.metrics["network"] == "RobustCNN"
                    left[robust][row["epsilon"]] = row["accuracy"]
    shared = left[True].keys() & left[False].keys() - {0}
    if not shared:
        return Claim(claim, ROBUST)
    epsilon = max(shared)
    own, other = left[True][epsilon], left[False][epsilon]
    return by_rule(
        claim,
        ROBUST,
        f"under PGD with ε = {epsilon:g}, {other:.1%} is read by the ordinary network and "
        f"{own:.1%} by one trained with --adversarial",
        "one network of each kind",
        supported=other < 0.5 and own > other + 0.2,
        refuted=other > 0.9 or own <= other,
    )

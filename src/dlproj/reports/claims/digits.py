"""What the report says of its network of digits, measured on the networks of finished runs."""

from pathlib import Path
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.digits import load_digits, to_pixels
from dlproj.diagnosis.layers import (
    around_pooling,
    doubted,
    edge_share,
    linear_accuracy,
    untrained,
)
from dlproj.experiments.calibration import calibration
from dlproj.limits import read_limited
from dlproj.models.files import load_model
from dlproj.reports.claims.base import (
    Claim,
    Runs,
    by_rule,
    by_tests,
    folders,
    mean,
    sample,
    spread,
    sweeps_of,
    values_by_seed,
)
from dlproj.reports.claims.numbers import ABLATION, ablations
from dlproj.store.weights import unpack

COMMAND = "train-digits --recipe report --seeds 6"
SWEEP = (
    "sweep train-digits --recipe report --lr 0.005,0.02,0.08 --momentum 0.5,0.92,0.98 "
    "--validation 30000 --seeds 3"
)
SURE = 0.9  # what the report calls a high confidence
LEARNT, ASKED = 1500, 1000  # images for the linear reader
MAX_BYTES = 200_000_000
# What is worth anything: half a point of accuracy, a point, a twentieth of a filter's energy.
POINTS_OF_SETTINGS, POINTS_OF_POOLING, SHARE_OF_EDGES = 0.005, 0.01, 0.05


def shapes(runs: Runs) -> Claim:
    """Supported: the hidden layer of a trained network takes 64 · 5 · 5 numbers."""
    claim = "the layer after the convolutions takes 64·5·5 numbers"
    for folder in folders(runs, "train-digits").values():
        takes = load_model(folder)[0].get_parameter("hidden.weight").shape[1]
        right = takes == 64 * 5 * 5
        return by_rule(
            claim, COMMAND, f"it takes {takes:,}", "", supported=right, refuted=not right
        )
    return Claim(claim, COMMAND)


def sure(runs: Runs) -> Claim:
    """Supported: more than nine in ten test images have it in every run. Not: below half in one."""
    claim = f"the confidence is mostly above {SURE}"
    logits, _ = _predictions(folders(runs, "train-digits"))
    if not logits:
        return Claim(claim, COMMAND)
    shares = [(each.softmax(1).amax(1) > SURE).double().mean().item() for each in logits]
    return by_rule(
        claim,
        COMMAND,
        f"of the test images {spread(shares)}",
        f"least {min(shares):.2%}",
        supported=min(shares) > 0.9,
        refuted=min(shares) < 0.5,
        seeds=len(shares),
    )


def calibrated(runs: Runs) -> Claim:
    """Supported: the mean expected calibration error is below a point. Not: above three."""
    claim = "the confidence is what it says (calibration)"
    logits, labels = _predictions(folders(runs, "train-digits"))
    if not logits:
        return Claim(claim, COMMAND)
    truth = F.one_hot(labels, 10).double()
    errors = [calibration(each, truth, None)["expected_error"] for each in logits]
    error = sum(errors) / len(errors)
    return by_rule(
        claim,
        COMMAND,
        f"expected calibration error {spread(errors)}",
        f"largest {max(errors):.2%}",
        supported=error < 0.01,
        refuted=error > 0.03,
        seeds=len(errors),
    )


def few_misread(runs: Runs) -> Claim:
    """Supported: every run misreads less than 3 % of the test images. Not: one over 5 %."""
    claim = "only a few digits are misread"
    values = [1 - value for value in sample(runs, "train-digits", "test_accuracy").values()]
    if not values:
        return Claim(claim, COMMAND)
    return by_rule(
        claim,
        COMMAND,
        f"of the test images {spread(values)}",
        f"largest {max(values):.2%}",
        supported=max(values) < 0.03,
        refuted=max(values) > 0.05,
        seeds=len(values),
    )


def misread_by_others(runs: Runs) -> Claim:
    """Other networks stand in for people.

    Supported: most of them misread one in ten of what a network misreads, and less than one in a
    hundred of the rest. Not supported: less than one in fifty of what it misreads.
    """
    claim = "some of the digits that are misread are hard to read as such"
    logits, labels = _predictions(folders(runs, "train-digits"))
    if not logits:
        return Claim(claim, COMMAND)
    found = doubted(torch.stack([each.argmax(1) != labels for each in logits]))
    too, rest = fmean(found["too"]), fmean(found["else"])
    return by_rule(
        claim,
        COMMAND,
        f"of those, most of {len(logits) - 1} other networks misread {spread(found['too'])}",
        f"and {rest:.2%} of those that are read rightly",
        supported=too >= 0.1 and rest < 0.01,
        refuted=too < 0.02,
        seeds=len(logits),
    )


def edges(runs: Runs) -> Claim:
    """Of the energy of the first filters, against their own start."""
    claim = "the first convolution detects edges"
    own, before = {}, {}
    for seed, folder in folders(runs, "train-digits").items():
        own[seed] = edge_share(load_model(folder)[0].get_parameter("conv1.weight"))
        before[seed] = edge_share(untrained(seed).conv1.weight)
    return by_tests(
        claim,
        COMMAND,
        f"edges have {mean(own):.0%} of the energy of its filters, {mean(before):.0%} before the "
        "training, 25% of random ones",
        [(own, before)],
        matters=SHARE_OF_EDGES,
    )


def pooling(runs: Runs) -> Claim:
    """What a linear reader loses when it is given what pooling gives on, not what it is given."""
    claim = "pooling keeps the main features"
    places = folders(runs, "train-digits")
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    if places:
        digits = load_digits()
        known, asked = digits.train.pictures[:LEARNT], digits.test.pictures[:ASKED]
        labels, truth = digits.train.labels[:LEARNT], digits.test.labels[:ASKED]
    for seed, folder in places.items():
        model = load_model(folder)[0]
        learnt, given = (around_pooling(model, to_pixels(each)) for each in (known, asked))
        before[seed], after[seed] = (
            linear_accuracy(one, labels, other, truth)
            for one, other in zip(learnt, given, strict=True)
        )
    return by_tests(
        claim,
        COMMAND,
        f"a linear reader names {mean(before):.1%} of the digits by what it is given, and "
        f"{mean(after):.1%} by the quarter of the numbers that it gives on",
        [(before, after)],
        matters=POINTS_OF_POOLING,
        harmless=True,
    )


def good_settings(runs: Runs) -> Claim:
    """No other cell of a sweep reads half a point more of the validation images."""
    claim = "a rate of 0.02 and a momentum of 0.92 are good"
    for run in sweeps_of(runs, "train-digits", {"lr", "momentum"}):
        cells = {
            tuple(cell["settings"][name] for name in ("lr", "momentum")): values_by_seed(cell)
            for cell in run.metrics["cells"]
            if cell["score"]
        }
        own = cells.pop((0.02, 0.92), None)
        if own is None:
            continue
        place = 1 + sum(mean(other) > mean(own) for other in cells.values())
        best = max(cells, key=lambda settings: mean(cells[settings]))
        return by_tests(
            claim,
            SWEEP,
            f"{mean(own):.2%} of the validation images, place {place} of {len(cells) + 1}; the "
            f"best other, {best[0]:g} and {best[1]:g}, {mean(cells[best]):.2%}",
            [(other, own) for other in cells.values() if len(other) == len(own)],
            matters=POINTS_OF_SETTINGS,
            harmless=True,
        )
    return Claim(claim, SWEEP)


def passes_without(runs: Runs) -> Claim:
    """Supported: at most one in ten runs without BatchNorm reaches 98 %. Not: half of them."""
    claim, command = "without BatchNorm, 98.00% is not reached", ABLATION
    values = [value for arms in ablations(runs) for value in arms["without"]]
    if not values:
        return Claim(claim, command)
    passed = sum(value >= 0.98 for value in values)
    return by_rule(
        claim,
        command,
        f"{passed} of {len(values)} runs reach it",
        "",
        supported=passed <= len(values) / 10,
        refuted=passed >= len(values) / 2,
        seeds=len(values),
    )


def _predictions(places: dict[int, Path]) -> tuple[list[Tensor], Tensor]:
    """Logits (images, 10) of each run on the test images, and the labels of those."""
    labels = load_digits().test.labels if places else torch.zeros(0)
    files = [folder / "predictions.safetensors" for folder in places.values()]
    there = filter(Path.is_file, files)
    return [unpack(read_limited(file, MAX_BYTES))[0]["logits"] for file in there], labels

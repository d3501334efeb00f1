"""The trainings of `ablate-batchnorm --diagnose`, over seeds, and what comes of them together."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from dlproj.diagnosis.batchnorm_claims import claims, of_seed
from dlproj.settings import BatchnormConfig

NAMES = {"with": "BatchNorm", "without": "no BatchNorm", "noisy": "BatchNorm and noise"}
REPORTS_RATE = 0.02  # the nearest of the rates compared is followed
GRID = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # rates of the short trainings
GRID_STEPS = 100
TRAINS = 0.8  # accuracy from which a short training counts as one that trains
FOLLOWED, BRIEF = "followed", "brief"  # the conditions that a training is made under


def nearest_rate(config: BatchnormConfig) -> float:
    """Of the rates compared, the one that is nearest to the report's."""
    return min(config.lr, key=lambda lr: abs(math.log(lr / REPORTS_RATE)))


def cells(config: BatchnormConfig) -> dict[str, dict[str, Any]]:
    """Every training, by what it is called; the long ones first."""
    seeds = range(config.seed, config.seed + config.seeds)
    wanted = [(FOLLOWED, nearest_rate(config)), *((BRIEF, lr) for lr in GRID)]
    return {
        f"seed {seed}  {name}  {condition} at {lr:g}": {
            "lr": lr,
            "seed": seed,
            "arm": arm,
            "condition": condition,
        }
        for condition, lr in wanted
        for seed in seeds
        for arm, name in NAMES.items()
    }


def shortened(config: BatchnormConfig) -> BatchnormConfig:
    """The settings of a short training."""
    images = min(config.images, GRID_STEPS * config.batch_size)
    return dataclasses.replace(config, images=images, epochs=1, schedule="constant")


def study(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All trainings together: the first seed whole, the numbers of every seed, and the claims."""
    by_seed: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {
        run["seed"]: _of(run["seed"], runs) for run in runs
    }
    seed, (arms, rates) = next(iter(by_seed.items()))
    numbers = [of_seed(each, *found) for each, found in by_seed.items()]
    return {
        "lr": next(run["lr"] for run in runs if run["condition"] == FOLLOWED),
        "seed": seed,
        "seeds": len(numbers),
        "arms": arms,
        "rates": rates,
        "by_seed": numbers,
        "claims": claims(numbers, rates["lr"], TRAINS),
    }


def _of(seed: int, runs: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What one seed gave: each arm followed, and each arm at the rates of the grid."""
    told = ("lr", "seed", "arm", "condition")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {
        condition: {arm: [] for arm in NAMES} for condition in (FOLLOWED, BRIEF)
    }
    for run in runs:
        if run["seed"] == seed:
            measured = {name: value for name, value in run.items() if name not in told}
            found[run["condition"]][run["arm"]].append(measured)
    arms = {arm: single for arm, (single,) in found[FOLLOWED].items()}
    rates: dict[str, Any] = {"lr": list(GRID), "trains_from": TRAINS}
    for arm, brief in found[BRIEF].items():
        rates[arm] = {name: [one[name] for one in brief] for name in brief[0]}
    return arms, rates

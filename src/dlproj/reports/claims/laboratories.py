"""What the laboratories, `--diagnose` and `--norms`, judged or measured in the runs at hand."""

from collections.abc import Sequence
from typing import Any

from dlproj.diagnosis.attack_claims import claims
from dlproj.experiments.attack_images import MNIST
from dlproj.reports.claims.base import ENOUGH, Claim, Measure, Runs
from dlproj.results import Explanation

ATTACKED = "attack --epsilon 0.2 --diagnose --model NETWORK"
EPSILON = 0.2  # of the attacks that are looked at


def inside(claim: str) -> Measure:
    """Of the laboratory of BatchNorm."""
    return _explained(claim, "diagnosis", "ablate-batchnorm --diagnose")


def normalised(claim: str) -> Measure:
    """Of the comparison of normalisations."""
    return _explained(claim, "norms", "ablate-batchnorm --lr 0.02 --seeds 8 --norms")


def attacked(claim: str) -> Measure:
    """Of the laboratory of attacks: over all networks that were attacked."""

    def measure(runs: Runs) -> Claim:
        networks = attacked_networks(runs)
        return _row(claim, ATTACKED, claims(networks, sampled=True), len(networks), "networks")

    return measure


def attacked_networks(runs: Runs) -> list[dict[str, Any]]:
    """What was measured of each network, once: of FGSM at ε = 0.2, on MNIST.

    Networks that were trained to withstand attacks are not what the report speaks of.
    """
    found = {
        run.metrics["model"]: run.metrics["diagnosis"]
        for run in runs
        if run.command == "attack" and "diagnosis" in run.metrics
        if run.metrics["network"] != "RobustCNN" and run.metrics.get("data", MNIST) == MNIST
        if (run.config["method"], run.config["norm"]) == ("fgsm", "linf")
        if run.metrics["diagnosis"]["epsilon"] == EPSILON
    }
    return [*found.values()]


def _explained(claim: str, part: str, command: str) -> Measure:
    """What the run judged that has the most seeds."""

    def measure(runs: Runs) -> Claim:
        studies = [
            run.metrics[part] for run in runs if "cells" in run.metrics and part in run.metrics
        ]
        if not studies:
            return Claim(claim, command)
        best = max(studies, key=_seeds)
        return _row(claim, command, best["claims"], _seeds(best), "seeds")

    return measure


def _seeds(study: dict[str, Any]) -> int:
    return int(study.get("seeds", 1))  # older runs of `--diagnose` have one, and do not say so


def _row(claim: str, command: str, judged: Sequence[Explanation], sampled: int, kind: str) -> Claim:
    for found in judged:
        if found["claim"] == claim:
            if sampled < ENOUGH:
                needed = f"{ENOUGH} {kind} are needed"
                return Claim(claim, command, found["evidence"], "too few seeds", needed)
            return Claim(claim, command, found["evidence"], found["verdict"])
    return Claim(claim, command)

"""Question 1: what does BatchNorm do? The same network with and without it, many times."""

import json
import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import nn

from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Digits, load_digits
from dlproj.data.distortions import distorted_pixels
from dlproj.diagnosis import batchnorm_study as inside
from dlproj.diagnosis import norms
from dlproj.diagnosis.batchnorm import follow, try_rate
from dlproj.errors import DivergedError
from dlproj.experiments.digits import classify, make_training
from dlproj.interrupts import interrupts
from dlproj.models.noise import DriftingNoise
from dlproj.running.context import Context, Outcome
from dlproj.running.processes import run_all
from dlproj.settings import BatchnormConfig, DigitsConfig
from dlproj.statistics import SIGNIFICANT, compare, describe
from dlproj.store.runs import is_sealed, seal
from dlproj.training.device import Machine, choose_machine
from dlproj.training.loop import Training, accuracy, fit

ARMS = ("with", "without")
STEPS_DRAWN = 100  # points of each loss curve that are kept


def run(config: BatchnormConfig, context: Context) -> Outcome:
    """Train every cell of rates, seeds and arms that is not done yet, then compare the arms."""
    digits = _digits(config.data, config.transpose)
    context.announce(digits.notes)
    context.start(config)
    runs = train_all(partial(train_cell, config, context.machine), arms_of(config), config, context)

    cells = compare_arms(runs, config.lr)
    metrics: dict[str, Any] = {
        "cells": cells,
        "verdict": "; ".join(verdict(cell) for cell in cells),
    }
    timing = {"train_seconds": sum(run["seconds"] for run in runs)}
    if config.diagnose:
        started = time.perf_counter()
        train = partial(look_inside, config, context.machine)
        metrics["diagnosis"] = inside.study(train_all(train, inside.cells(config), config, context))
        timing["diagnose_seconds"] = time.perf_counter() - started
    if config.norms:
        train = partial(train_norm, config, context.machine)
        metrics["norms"] = norms.study(train_all(train, norms.cells(config), config, context))
    if context.session.plots:
        from dlproj.output.figures import batchnorm as figures  # noqa: PLC0415 - takes a second

        figures.draw(context.run, cells, runs)
        if config.diagnose:
            figures.draw_diagnosis(context.run, metrics["diagnosis"])
    return Outcome(metrics, timing, digits.notes.remarks)


def arms_of(config: BatchnormConfig) -> dict[str, dict[str, Any]]:
    """Every training of both arms, by what it is called."""
    return {
        f"lr {lr}  seed {seed}  {arm} BatchNorm": {"lr": lr, "seed": seed, "arm": arm}
        for lr in config.lr
        for seed in range(config.seed, config.seed + config.seeds)
        for arm in ARMS
    }


def train_all(
    train: Callable[[dict[str, Any]], dict[str, Any]],
    cells: dict[str, dict[str, Any]],
    config: BatchnormConfig,
    context: Context,
) -> list[dict[str, Any]]:
    """Every training, in order; those that the run has records of are not done again."""
    run, session = context.run, context.session
    names = {_key(cell): name for name, cell in cells.items()}
    done = {
        names[_key(record)]: {key: value for key, value in record.items() if key != "sha256"}
        for record in run.records()
        if is_sealed(record) and _key(record) in names
    }
    wanted = {name: cell for name, cell in cells.items() if name not in done}
    jobs = session.jobs or (len(wanted) if session.cluster else context.machine.room)
    ended = run_all(train, wanted, jobs=jobs, cluster=session.cluster, folder=run.path)
    for name, trained in context.console.count(ended, "trainings", len(wanted)):
        done[name] = cells[name] | trained
        run.record(**seal(done[name]))
        run.flush_records()
        context.console.note(describe_cell(name, done[name]))
    return [done[name] for name in cells]


def _key(cell: dict[str, Any]) -> str:
    return json.dumps([cell.get(name) for name in ("lr", "seed", "arm", "condition")])


def train_cell(config: BatchnormConfig, machine: Machine, cell: dict[str, Any]) -> dict[str, Any]:
    """One training: its test accuracy, its losses, and whether it diverged.

    A training diverged when its loss stopped being finite, or stayed at that of guessing to the
    end; its accuracy is then what is left, and counts like any other.
    """
    machine, digits = _here(config, machine)
    training, batches = make_arm(config, machine, digits, **cell)
    losses, started = [], time.perf_counter()
    steps = fit(training, batches, loss_fn=F.cross_entropy, epochs=config.epochs, machine=machine)
    try:
        for step in steps:
            losses.append(step.loss)
            interrupts.check()
        tail = losses[-max(1, len(losses) // 10) :]
        diverged = math.fsum(tail) / len(tail) > 0.95 * math.log(digits.classes)
    except DivergedError:
        diverged = True
    seconds = time.perf_counter() - started
    test = digits.test.to(machine.device)
    logits = classify(training.model, test, machine)
    return {
        "accuracy": accuracy(logits, test.labels),
        "diverged": diverged,
        "losses": thin_out(losses),
        "steps": len(losses),
        "seconds": seconds,
    }


def look_inside(config: BatchnormConfig, machine: Machine, cell: dict[str, Any]) -> dict[str, Any]:
    """One training of `--diagnose`."""
    machine, digits = _here(config, machine)
    arm = {name: cell[name] for name in ("lr", "seed", "arm")}
    if cell["condition"] == inside.BRIEF:
        training, batches = make_arm(inside.shortened(config), machine, digits, **arm)
        return try_rate(training, batches, digits, machine)
    training, batches = make_arm(config, machine, digits, **arm)
    return follow(training, batches, digits, machine, config.epochs, cell["lr"])


def train_norm(config: BatchnormConfig, machine: Machine, cell: dict[str, Any]) -> dict[str, Any]:
    """One training of `--norms`."""
    machine, digits = _here(config, machine)
    arm = {name: cell[name] for name in ("lr", "seed", "arm")}
    training, batches = make_arm(config, machine, digits, **arm)
    return norms.train(training, batches, digits, machine, config.epochs, cell["condition"])


def make_arm(
    config: BatchnormConfig, machine: Machine, digits: Digits, *, lr: float, seed: int, arm: str
) -> tuple[Training, ShuffledBatches]:
    """A training of an arm: "with" BatchNorm, "without", or "layer" or "group" normalisation.

    "noisy" is with noise after each BatchNorm.

    All arms of a seed see the same images in the same order and start from the same weights:
    BatchNorm's own start at one and zero, and draw no random numbers.
    """
    device = machine.device
    batches = ShuffledBatches(
        digits.train.pictures[: config.images].to(device),
        digits.train.labels[: config.images].to(device),
        batch_size=config.batch_size,
        seed=seed,
        prepare=partial(distorted_pixels, strength=0),
    )
    settings = DigitsConfig(
        seed=seed,
        epochs=config.epochs,
        batch_size=config.batch_size,
        lr=lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        schedule=config.schedule,
        batchnorm=arm != "without",
    )
    training = make_training(settings, digits.classes, len(batches), device)
    if arm == "noisy":
        for name in ("norm1", "norm2", "norm3"):
            noisy = nn.Sequential(training.model.get_submodule(name), DriftingNoise())
            setattr(training.model, name, noisy)
    if arm in norms.GROUPS:
        norms.put_in_place(training.model, norms.GROUPS[arm])
    return training, batches


def _here(config: BatchnormConfig, machine: Machine) -> tuple[Machine, Digits]:
    """The machine and the images, in the process that trains."""
    machine = choose_machine(str(machine.device), machine.precision, machine.threads)
    return machine, _digits(config.data, config.transpose)


@lru_cache(1)
def _digits(folder: Path | None, transpose: str) -> Digits:
    """The images, read once in each process."""
    return load_digits(folder=folder, transpose=transpose)


def thin_out(losses: list[float]) -> list[float]:
    """At most `STEPS_DRAWN` means of neighbouring losses."""
    width = max(1, math.ceil(len(losses) / STEPS_DRAWN))
    parts = [losses[start : start + width] for start in range(0, len(losses), width)]
    return [math.fsum(part) / len(part) for part in parts]


def describe_cell(name: str, cell: dict[str, Any]) -> str:
    """One training in a line."""
    diverged = "  diverged" if cell["diverged"] else ""
    return f"{name}  accuracy {cell['accuracy']:.4f}{diverged}"


def compare_arms(runs: list[dict[str, Any]], rates: Sequence[float]) -> list[dict[str, Any]]:
    """The two arms at each learning rate, their p-values also adjusted for there being several."""
    cells = [arms_at(lr, [run for run in runs if run["lr"] == lr]) for lr in rates]
    tests = compare([(cell["with"]["values"], cell["without"]["values"]) for cell in cells])
    kept = ("difference", "ci95", "p_value", "p_adjusted", "effect_size")
    return [
        cell | {name: test[name] for name in kept} for cell, test in zip(cells, tests, strict=True)
    ]


def arms_at(lr: float, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The two arms at one learning rate."""
    cell: dict[str, Any] = {"lr": lr}
    for arm in ARMS:
        in_arm = [run for run in runs if run["arm"] == arm]
        cell[arm] = describe([run["accuracy"] for run in in_arm]) | {
            "diverged": sum(run["diverged"] for run in in_arm)
        }
    return cell


def verdict(cell: dict[str, Any]) -> str:
    """What the numbers show at one rate, in plain words.

    A difference counts as shown when its p-value, adjusted for the number of rates, is below 0.05.
    """
    at = f"at {cell['lr']:g}"
    count = len(cell["with"]["values"])
    fallen = {arm: cell[arm]["diverged"] for arm in ARMS}
    for arm, other in (ARMS, ARMS[::-1]):
        if fallen[arm] and not fallen[other]:
            return f"{arm} BatchNorm training diverges {at} ({fallen[arm]} of {count} runs)"
    if all(fallen.values()):
        return f"{at} both diverge ({fallen['with']} and {fallen['without']} of {count} runs)"
    if cell["p_adjusted"] is None:
        return f"{at} one pair of runs, which shows nothing"
    points, p_value = 100 * cell["difference"], cell["p_adjusted"]
    if p_value >= SIGNIFICANT:
        return f"no difference shown {at} ({points:+.2f} points, p = {p_value:.2g})"
    better = "more" if points > 0 else "less"
    return f"{at} {abs(points):.2f} points {better} accurate with BatchNorm (p = {p_value:.2g})"

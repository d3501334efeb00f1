"""What all experiments share: a run directory around them, repetition over seeds, the result."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dlproj import __version__
from dlproj.config import to_dict
from dlproj.data.fingerprint import fingerprint
from dlproj.data.notes import Notes
from dlproj.errors import DlprojError, Interrupted, UsageError
from dlproj.experiments.study import repeat
from dlproj.interrupts import interrupts
from dlproj.options import Session
from dlproj.output.console import Console, Table
from dlproj.output.run_dir import (
    ReadOnlyRun,
    RunDir,
    existing_run,
    launch_file,
    new_run,
    write_file,
)
from dlproj.settings import Config, TrainingConfig
from dlproj.training import parallel
from dlproj.training.device import Machine, choose_machine

SCHEMA_VERSION = 1
DATA = "data.json"  # in a run on the user's data, what they were
C_contra = TypeVar("C_contra", bound=Config, contravariant=True)


@dataclasses.dataclass(frozen=True)
class Context:
    """What an experiment runs on, writes to and talks through."""

    machine: Machine
    run: RunDir
    console: Console
    session: Session

    def start(self, config: Config) -> None:
        """Write the settings to the run, and what the data are that it starts with."""
        prints = _fingerprints(config)
        self.run.write_json("config.json", to_dict(config))
        if prints:
            self.run.write_json(DATA, prints)

    def announce(self, notes: Notes) -> None:
        """Say what was read."""
        for text in (notes.summary, *(f"remark: {remark}" for remark in notes.remarks)):
            self.console.remark(text)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The numbers of a run; times in seconds."""

    metrics: dict[str, Any]
    timing: dict[str, float]
    remarks: tuple[str, ...] = ()  # on the user's data


Run = Callable[[Any, Context], Outcome]  # of an experiment


class Experiment(Protocol[C_contra]):
    """A module of this package."""

    def run(self, config: C_contra, context: Context) -> Outcome:
        """Do it."""

    def tables(self, metrics: dict[str, Any], timing: dict[str, Any]) -> list[Table]:
        """What a reader wants to see of the result."""


def perform(
    experiment: Experiment[C_contra], config: C_contra, session: Session, *, show: bool = True
) -> Path:
    """Run an experiment from its settings to its result, and `show` that; returns where it is."""
    if parallel.launched() and not config.divisible:
        raise UsageError(f"{config.command} with these settings runs in one process, not torchrun")
    if session.cluster and (parallel.launched() or config.trainings == 1):
        raise UsageError("--cluster spreads several trainings, as --seeds makes them, not one")
    with parallel.member() as group:
        alone = group.rank == 0
        console = Console(quiet=session.quiet or not alone, json=session.json)
        with _open(config, session, group) as run:
            try:
                document = run.result
                if group.first(bytes([document is not None])) == bytes([True]):
                    console.note(f"{run.path} is finished: nothing to do")
                else:
                    if alone and run.started:
                        check_data(config, run)
                    machine = choose_machine(
                        config.device,
                        config.precision,
                        config.threads,
                        group,
                        trainings=config.trainings,
                    )
                    context = Context(machine, run, console, session)
                    document = document_of(experiment.run, config, context)
            except Interrupted as interruption:
                if run.started:
                    again = " --tensorboard" if session.tensorboard else ""
                    interruption.resume = f"dlproj {config.command} --resume {run.path}{again}"
                raise
        if alone and document and show:
            console.result(document, experiment.tables(document["metrics"], document["timing"]))
            console.note(f"everything is in {run.path}")
    return run.path


@contextmanager
def _open(config: Config, session: Session, group: parallel.Group) -> Iterator[RunDir]:
    """The run's directory, which the first process alone makes and writes to.

    Processes that torchrun started again go on with the run that they had begun.
    """
    if group.rank:
        yield ReadOnlyRun(Path(group.first(b"").decode()))
        return
    resume, launch = session.resume, parallel.launch_name()
    note = launch_file(launch) if launch else None
    if note and note.exists() and parallel.restarted():
        resume = Path(note.read_text())
    events = session.tensorboard
    opened = (
        existing_run(resume, tensorboard=events)
        if resume
        else new_run(config.command, session.out, tensorboard=events)
    )
    with opened as run:
        if note:
            write_file(note, str(run.path.resolve()).encode())
        group.first(str(run.path).encode())
        yield run
    if note:
        note.unlink()


def _fingerprints(config: Config) -> dict[str, str]:
    """Of the user's data, by their paths."""
    configs = (config, *getattr(config, "cells", {}).values())
    paths = {path for one in configs if isinstance(path := getattr(one, "data", None), Path)}
    return {str(path): fingerprint(path) for path in sorted(paths) if path.exists()}


def check_data(config: Config, run: RunDir) -> None:
    """Whether the user's data are still those that a run was started with.

    Raises:
        DlprojError: they are others, or gone.
    """
    started_with = run.read_json(DATA)
    if started_with is None:
        return
    found = _fingerprints(config)
    for path, digest in started_with.items():
        if path != "sha256" and found.get(path) != digest:
            what = "has changed" if path in found else "is gone"
            raise DlprojError(
                f"{run.path}: {path} {what} since the run was started; put it back, or start a new "
                "run"
            )


def document_of(run: Run, config: Config, context: Context) -> dict[str, Any]:
    """Run once, or once for each seed, and write the result."""
    started = time.perf_counter()
    if isinstance(config, TrainingConfig) and config.seeds > 1:
        outcome = Outcome(*repeat(partial(document_of, run), config, context))
    else:
        outcome = run(config, context)
    if not all_finite(outcome.metrics):
        raise DlprojError("the results are not finite numbers: try a lower --lr, or other --data")
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": config.command,
        "version": __version__,
        "run_dir": str(context.run.path),
        "config": to_dict(config),
        "metrics": outcome.metrics,
        "timing": outcome.timing | {"total_seconds": time.perf_counter() - started},
        "remarks": [*outcome.remarks],
        "environment": context.machine.describe(),
        "files": context.run.digests(),
    }
    with interrupts.defer():
        return context.run.write_json("result.json", document)


def all_finite(value: Any) -> bool:
    """Whether no number in a nested value is infinite or none at all."""
    match value:
        case float():
            return math.isfinite(value)
        case dict():
            return all(map(all_finite, value.values()))
        case list():
            return all(map(all_finite, value))
    return True

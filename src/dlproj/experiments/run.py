"""What all experiments share: a run directory around them, repetition over seeds, the result."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dlproj import __version__
from dlproj.config import Config, TrainingConfig, to_dict
from dlproj.errors import Interrupted, UsageError
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
from dlproj.statistics import describe
from dlproj.training import parallel
from dlproj.training.device import Machine, choose_machine

SCHEMA_VERSION = 1
C_contra = TypeVar("C_contra", bound=Config, contravariant=True)


@dataclasses.dataclass(frozen=True)
class Context:
    """What an experiment runs on, writes to and talks through."""

    machine: Machine
    run: RunDir
    console: Console
    session: Session


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The numbers of a run; times in seconds."""

    metrics: dict[str, Any]
    timing: dict[str, float]


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
    with parallel.member() as group:
        alone = group.rank == 0
        console = Console(quiet=session.quiet or not alone, json=session.json)
        with _open(config, session, group) as run:
            try:
                document = run.result
                if group.first(bytes([document is not None])) == bytes([True]):
                    console.note(f"{run.path} is finished: nothing to do")
                else:
                    machine = choose_machine(config.device, config.precision, config.threads, group)
                    context = Context(machine, run, console, session)
                    document = document_of(experiment, config, context)
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


def document_of(
    experiment: Experiment[C_contra], config: C_contra, context: Context
) -> dict[str, Any]:
    """Run once, or once for each seed, and write the result."""
    started = time.perf_counter()
    if isinstance(config, TrainingConfig) and config.seeds > 1:
        outcome = _repeat(experiment, config, context)
    else:
        outcome = experiment.run(config, context)
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": config.command,
        "version": __version__,
        "run_dir": str(context.run.path),
        "config": to_dict(config),
        "metrics": outcome.metrics,
        "timing": outcome.timing | {"total_seconds": time.perf_counter() - started},
        "environment": context.machine.describe(),
        "files": context.run.digests(),
    }
    with interrupts.defer():
        return context.run.write_json("result.json", document)


def _repeat(experiment: Experiment[Any], config: TrainingConfig, context: Context) -> Outcome:
    """One run within this one for each seed; those already finished are kept."""
    context.run.write_json("config.json", to_dict(config))
    documents = []
    for seed in range(config.seed, config.seed + config.seeds):
        context.console.note(f"seed {seed}")
        child = context.run.child(f"seed-{seed}")
        single = dataclasses.replace(config, seed=seed, seeds=1)
        documents.append(
            child.result or document_of(experiment, single, dataclasses.replace(context, run=child))
        )
    return Outcome(
        metrics=_summarise([document["metrics"] for document in documents]),
        timing=_summarise([document["timing"] for document in documents]),
    )


def _summarise(repeats: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each scalar over the seeds; what is no scalar stays with the single runs."""
    return {
        name: describe([repeat[name] for repeat in repeats])
        for name, value in repeats[0].items()
        if isinstance(value, int | float)
    }

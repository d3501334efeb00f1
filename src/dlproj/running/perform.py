"""What all experiments share: a run directory around them, repetition over seeds, the result."""

import math
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from dlproj.configuration.resolve import to_dict
from dlproj.configuration.session import Session
from dlproj.errors import DlprojError, UsageError
from dlproj.interrupts import interrupts
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.tables import READERS
from dlproj.running.context import Context, Experiment, Outcome
from dlproj.running.data_check import check_data
from dlproj.running.study import repeat
from dlproj.settings import Config, TrainingConfig
from dlproj.store.runs import (
    ReadOnlyRun,
    RunDir,
    existing_run,
    launch_file,
    new_run,
    write_file,
)
from dlproj.training import parallel
from dlproj.training.device import choose_machine


def perform(experiment: Experiment, config: Config, session: Session, *, show: bool = True) -> Path:
    """Run an experiment from its settings to its result, and `show` that; returns where it is."""
    if parallel.launched() and not config.divisible:
        raise UsageError(f"{config.command} with these settings runs in one process, not torchrun")
    if session.cluster and (parallel.launched() or config.trainings == 1):
        raise UsageError("--cluster spreads several trainings, as --seeds makes them, not one")
    with parallel.member() as group:
        alone = group.rank == 0
        console = Console(quiet=session.quiet or not alone, json=session.json)
        with _open(config, session, group) as run:
            interrupts.resume = partial(resume_command, config, session, run)
            interrupts.run = partial(_begun, run)
            result = run.result
            if group.decided_by_first(result is not None):
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
                result = document_of(experiment, config, context)
        if alone and result and show:
            reader = READERS[config.command]
            console.result(result, reader.tables(result["metrics"], result["timing"]))
            console.note(f"everything is in {run.path}")
    return run.path


def _begun(run: RunDir) -> Path | None:
    """Where a run is that can be gone on with."""
    return run.path if run.started else None


def resume_command(config: Config, session: Session, run: RunDir) -> str | None:
    """What goes on with a run, as a shell reads it; None when nothing is begun."""
    again = ["--tensorboard"] if session.tensorboard else []
    line = ["dlproj", config.command, "--resume", str(run.path), *again]
    return shlex.join(line) if run.started else None


@contextmanager
def _open(config: Config, session: Session, group: parallel.Group) -> Iterator[RunDir]:
    """The run's directory, which the first process alone makes and writes to.

    Processes that torchrun started again go on with the run that they had begun.
    """
    if group.rank:
        yield ReadOnlyRun(Path(os.fsdecode(group.first(b""))))
        return
    resume, launch = session.resume, parallel.launch_name()
    note = launch_file(launch) if launch else None
    if note and note.exists() and parallel.restarted():
        resume = Path(os.fsdecode(note.read_bytes()))
    events = session.tensorboard
    opened = (
        existing_run(resume, tensorboard=events)
        if resume
        else new_run(config.command, session.out, tensorboard=events)
    )
    with opened as run:
        if note:
            write_file(note, os.fsencode(run.path.resolve()))
        group.first(os.fsencode(run.path))
        yield run
    if note:
        note.unlink()


def document_of(experiment: Experiment, config: Config, context: Context) -> dict[str, Any]:
    """Run once, or once for each seed, and write the result."""
    started = time.perf_counter()
    if isinstance(config, TrainingConfig) and config.seeds > 1:
        outcome = Outcome(*repeat(partial(document_of, experiment), config, context))
    else:
        outcome = experiment(config, context)
    if not all_finite(outcome.metrics):
        raise DlprojError("the results are not finite numbers: try a lower --lr, or other --data")
    result = document(
        config.command,
        run_dir=str(context.run.path),
        config=to_dict(config),
        metrics=outcome.metrics,
        timing={**outcome.timing, "total_seconds": time.perf_counter() - started},
        remarks=[*outcome.remarks],
        environment=context.machine.describe(),
        files=context.run.digests(),
    )
    with interrupts.defer():
        return context.run.write_json("result.json", result)


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

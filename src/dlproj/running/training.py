"""A training within a run: its records, its checkpoints, and going on from them."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlproj.errors import DivergedError, DlprojError, LostProcessError
from dlproj.interrupts import interrupts
from dlproj.running.context import Context
from dlproj.settings import TrainingConfig
from dlproj.store.runs import RunDir
from dlproj.store.weights import DamagedError
from dlproj.training.checkpoint import pack_training, unpack_training
from dlproj.training.loop import Step, Training


def train(
    training: Training,
    steps: Callable[[], Iterator[Step]],
    config: TrainingConfig,
    context: Context,
    *,
    unit: str,
    validate: Callable[[], dict[str, float]] | None = None,
) -> None:
    """Train to the end, from the run's checkpoint if it has one; record and save on the way.

    Args:
        training: what is trained.
        steps: starts `loop.fit`, or one like it, on that training, wherever it stands.
        config: the settings; written to the run as it starts.
        context: where it runs.
        unit: what an example is called: "images", "words".
        validate: measures after each epoch, recorded beside it.
    """
    run = context.run
    if context.machine.group.decided_by_first(run.started):
        _resume(training, context)
    else:
        context.start(config)
    with interrupts.defer(), _saved_when_it_diverges(training, run):
        saved = started = time.perf_counter()
        saved_step = training.step
        for step in context.console.watch(steps(), unit):
            # Of the step alone: validation and saving are not training.
            training.seconds += time.perf_counter() - started
            values = {"accuracy": step.score} if step.score is not None else {}
            if step.ends_epoch and validate:
                values |= validate()
                if not all(map(math.isfinite, values.values())):
                    raise DivergedError(step.step, step.lr)
            run.record(epoch=step.epoch, step=step.step, lr=step.lr, loss=step.loss, **values)
            started = time.perf_counter()
            if step.interrupted or context.session.checkpoint_every.is_due(
                steps=step.step - saved_step, seconds=started - saved
            ):
                _save(training, run)
                saved, saved_step = time.perf_counter(), step.step
                started = saved
            if step.interrupted:
                interrupts.check()
                raise LostProcessError
        _save(training, run)


@contextmanager
def _saved_when_it_diverges(training: Training, run: RunDir) -> Iterator[None]:
    """Keep the last good weights of a training that breaks down: these, or those saved before."""
    try:
        yield
    except DivergedError as error:
        before = training.step < error.step
        if before and all(weights.isfinite().all() for weights in training.model.parameters()):
            _save(training, run)
        raise


def _save(training: Training, run: RunDir) -> None:
    run.flush_records()
    run.write_checkpoint(pack_training(training, records=run.records_digest()))


def _resume(training: Training, context: Context) -> None:
    """Put the training where its newest sound checkpoint has it; without any, at its start."""
    group = context.machine.group
    data = _load_checkpoint(training, context) if group.rank == 0 else b""
    data = group.first(data)
    if data and group.rank:
        unpack_training(data, training)


def _load_checkpoint(training: Training, context: Context) -> bytes:
    """Resume from the newest sound checkpoint, which is returned; b"" when there is none."""
    damaged, records, found = None, None, b""
    for path, data in context.run.checkpoints():
        try:
            records, found = unpack_training(data, training), data
            context.run.keep_checkpoint(path)
            break
        except DamagedError as error:
            damaged = DlprojError(f"{path}: {error}; start a new run")
            context.console.note(f"{path}: {error}; trying the checkpoint before it")
    else:
        if damaged:
            raise damaged
    context.run.keep_records(training.step, records)
    return found

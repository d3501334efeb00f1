"""Several trainings within one run: over seeds, or over the cells of a sweep."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from dlproj.config import to_dict
from dlproj.running.context import Context
from dlproj.running.processes import run_all
from dlproj.settings import TrainingConfig
from dlproj.statistics import describe
from dlproj.store.runs import RunDir, existing_run
from dlproj.training.device import Machine, choose_machine

PATIENCE = 30.0  # seconds to wait for a training that was cut short and still saves itself

Document = dict[str, Any]
Work = Callable[[TrainingConfig, Context], Document]


def repeat(
    work: Work, config: TrainingConfig, context: Context
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One run within this one for each seed. Returns metrics and times over them."""
    context.run.write_json("config.json", to_dict(config))
    documents = train_all(work, by_seed(config), context)
    return (
        _summarise([document["metrics"] for document in documents]),
        _summarise([document["timing"] for document in documents]),
    )


def by_seed(config: TrainingConfig) -> dict[str, TrainingConfig]:
    """The single trainings of a repeated one, by the names of their folders."""
    seeds = range(config.seed, config.seed + config.seeds)
    return {f"seed-{seed}": dataclasses.replace(config, seed=seed, seeds=1) for seed in seeds}


def train_all(
    work: Work, trainings: Mapping[str, TrainingConfig], context: Context
) -> list[Document]:
    """Train in folders of this run, here or in other processes; what is finished is kept.

    Args:
        work: does one training, and gives its document; it can be pickled.
        trainings: the settings of each, by the name of its folder.
        context: of the whole; what `auto` means on its machine holds for all.
    """
    run, machine, session, console = (
        context.run, context.machine, context.session, context.console
    )  # fmt: skip
    children = {name: run.child(name) for name in trainings}
    done = {name: child.result for name, child in children.items() if child.result}
    cells = {
        name: (name, settled(config, machine))
        for name, config in trainings.items()
        if name not in done
    }
    jobs = min(session.jobs or (len(cells) if session.cluster else machine.room), len(cells))
    here = jobs <= 1 and not session.cluster
    train = partial(_train_here if here else _train_apart, work, context)
    ended = run_all(train, cells, jobs=jobs, cluster=session.cluster, folder=run.path)
    for name, document in ended if here else console.count(ended, "trainings", len(cells)):
        console.note(f"{name}  {_in_short(document)}")
        done[name] = document
    return [done[name] for name in trainings]


def settled(config: TrainingConfig, machine: Machine) -> TrainingConfig:
    """The settings, with what is not said in them as the machine has it."""
    settled: dict[str, Any] = {"device": str(machine.device), "threads": machine.threads}
    if config.precision == "auto":
        settled["precision"] = machine.precision
    return dataclasses.replace(config, **settled)


def _train_here(work: Work, context: Context, cell: tuple[str, TrainingConfig]) -> Document:
    """A training in this process, with its progress."""
    name, config = cell
    context.console.note(name)
    return work(config, _within(context, context.run.child(name), config))


def _train_apart(work: Work, context: Context, cell: tuple[str, TrainingConfig]) -> Document:
    """A training in a process that may have others before and after it."""
    name, config = cell
    path, events = context.run.path / name, context.session.tensorboard
    with existing_run(path, patience=PATIENCE, tensorboard=events) as run:
        return run.result or work(config, _within(context, run, config))


def _within(context: Context, run: RunDir, config: TrainingConfig) -> Context:
    """The context of one training."""
    machine = choose_machine(config.device, config.precision, config.threads, context.machine.group)
    return dataclasses.replace(context, run=run, machine=machine)


def _in_short(document: Document) -> str:
    seconds = document.get("timing", {}).get("train_seconds")
    return "diverged" if seconds is None else f"{seconds:.1f} s of training"


def _summarise(repeats: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each scalar over the seeds; what is no scalar stays with the single runs."""
    return {
        name: describe([repeat[name] for repeat in repeats])
        for name, value in repeats[0].items()
        if isinstance(value, int | float)
    }

"""Finished runs, read back from their directories."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from dlproj.errors import DlprojError
from dlproj.experiments import attack, batchnorm, digits, langid, regression, sweep
from dlproj.grid import SweepConfig
from dlproj.models.files import load_model
from dlproj.output.console import Table
from dlproj.output.document import SCHEMA_VERSION
from dlproj.running.context import Experiment
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    Config,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
)
from dlproj.store.runs import RunDir

EXPERIMENTS: dict[str, tuple[type[Config], Experiment[Any]]] = {
    "train-digits": (DigitsConfig, digits),
    "ablate-batchnorm": (BatchnormConfig, batchnorm),
    "train-regression": (RegressionConfig, regression),
    "attack": (AttackConfig, attack),
    "train-langid": (LangidConfig, langid),
    "sweep": (SweepConfig, sweep),
}
ODD = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)


@dataclass(frozen=True)
class Finished:
    """A finished run: where it is, its `result.json`, and that as tables."""

    path: Path
    result: dict[str, Any]
    tables: Sequence[Table]

    @property
    def command(self) -> str:
        """What made it."""
        return str(self.result["command"])

    @property
    def config(self) -> dict[str, Any]:
        """Every setting that was in force."""
        return dict(self.result["config"])

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers."""
        return dict(self.result["metrics"])

    @property
    def timing(self) -> dict[str, Any]:
        """Seconds, and examples per second."""
        return dict(self.result["timing"])

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`: one for each step."""
        return list(RunDir(self.path).records())

    @property
    def model(self) -> nn.Module:
        """The network that was trained, in evaluation mode, read anew each time.

        Raises:
            DlprojError: the run has none; those of several seeds are in folders of their own.
        """
        return load_model(self.path)[0]

    @property
    def seeds(self) -> list[int]:
        """The seeds it was repeated with."""
        seed = self.config["seed"]
        return list(range(seed, seed + self.config.get("seeds", 1)))

    def by_seed(self, name: str) -> dict[int, float]:
        """A scalar metric of each seed; none where the run has no such metric."""
        value = self.metrics.get(name)
        if isinstance(value, dict) and "values" in value:
            return dict(zip(self.seeds, value["values"], strict=True))
        return {self.seeds[0]: value} if isinstance(value, int | float) else {}


def load_run(path: Path) -> Finished:
    """One finished run.

    Raises:
        DlprojError: it is none, or its result is damaged or of another version.
    """
    result = RunDir(path).result if path.is_dir() else None
    if result is None:
        raise DlprojError(f"{path}: not a finished run (no result.json)")
    try:
        if result["schema_version"] != SCHEMA_VERSION:
            raise ValueError
        _, experiment = EXPERIMENTS[result["command"]]
        tables = experiment.tables(result["metrics"], result["timing"])
        loaded = Finished(path, result, tables)
        _ = loaded.seeds, result["environment"]["torch"], dict(result["files"])
    except ODD:
        raise DlprojError(f"{path}: its result.json is not of this version of dlproj") from None
    return loaded


def find_runs(folder: Path) -> Iterator[Path]:
    """Directories of finished runs under a folder, in order; the seeds of a run are not its own."""
    for name, folders, files in os.walk(folder):
        if "config.json" in files:
            folders.clear()
            if "result.json" in files:
                yield Path(name)
        folders.sort(key=lambda part: (len(part), part))


def differences(runs: Sequence[Finished]) -> dict[str, list[Any]]:
    """Settings that are not the same in all runs, with the value in each."""
    names = dict.fromkeys(name for run in runs for name in run.config)
    table = {name: [run.config.get(name) for run in runs] for name in names}
    return {
        name: values
        for name, values in table.items()
        if any(value != values[0] for value in values)
    }


def shown(value: Any) -> str:
    """A setting for people."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(shown, value))
        case dict():
            return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
    return str(value)

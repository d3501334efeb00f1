"""What an experiment is given, and what it gives back."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from dlproj.config import to_dict
from dlproj.output.console import Console
from dlproj.session import Session
from dlproj.settings import Config
from dlproj.store.runs import RunDir
from dlproj.training.device import Machine


@dataclasses.dataclass(frozen=True)
class Context:
    """What an experiment runs on, writes to and talks through."""

    machine: Machine
    run: RunDir
    console: Console
    session: Session

    def start(self, config: Config) -> None:
        """Note the settings in the run, once all that they name is found: now it can be resumed."""
        if not self.run.started:
            self.run.write_json("config.json", to_dict(config))


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The numbers of a run; times in seconds."""

    metrics: Mapping[str, Any]  # one of `dlproj.results`
    timing: Mapping[str, Any]


Experiment = Callable[[Any, Context], Outcome]  # the `run` of each module of `dlproj.experiments`

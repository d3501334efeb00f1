"""What an experiment is given, and what it gives back."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlproj.configuration.resolve import to_dict
from dlproj.configuration.session import Session
from dlproj.data.notes import Notes
from dlproj.output.console import Console
from dlproj.running.data_check import note_data
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
        """Note the settings and the data in the run, once all that they name is found.

        From now on it can be resumed.
        """
        if not self.run.started:
            self.run.write_json("config.json", to_dict(config))
            note_data(config, self.run)

    def announce(self, notes: Notes) -> None:
        """Say what was read."""
        for text in (notes.summary, *(f"remark: {remark}" for remark in notes.remarks)):
            self.console.remark(text)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The numbers of a run; times in seconds."""

    metrics: Mapping[str, Any]  # one of `dlproj.results`
    timing: Mapping[str, Any]
    remarks: Sequence[str] = ()  # on the user's data


Experiment = Callable[[Any, Context], Outcome]  # the `run` of each module of `dlproj.experiments`

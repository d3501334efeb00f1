"""What an experiment is given, and what it gives back."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from dlproj.output.console import Console
from dlproj.session import Session
from dlproj.store.runs import RunDir
from dlproj.training.device import Machine


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

    metrics: Mapping[str, Any]  # one of `dlproj.results`
    timing: Mapping[str, Any]


Experiment = Callable[[Any, Context], Outcome]  # the `run` of each module of `dlproj.experiments`

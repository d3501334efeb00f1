"""What an experiment is given, and what it gives back."""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from dlproj.output.console import Console, Table
from dlproj.session import Session
from dlproj.settings import Config
from dlproj.store.runs import RunDir
from dlproj.training.device import Machine

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


Run = Callable[[Any, Context], Outcome]  # of an experiment


class Experiment(Protocol[C_contra]):
    """A module of `dlproj.experiments`."""

    def run(self, config: C_contra, context: Context) -> Outcome:
        """Do it."""

    def tables(self, metrics: dict[str, Any], timing: dict[str, Any]) -> list[Table]:
        """What a reader wants to see of the result."""

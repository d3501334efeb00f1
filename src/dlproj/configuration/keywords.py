"""What the functions of `dlproj.api` take: the settings of an experiment, and how to run it."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from annotated_types import Ge

from dlproj.configuration.resolve import validate
from dlproj.configuration.session import Session, session_fields
from dlproj.limits import path_of
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    Config,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
)

PATHS = ("config", "out", "resume", "data", "model")  # keywords that may be text


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunKeywords:
    """How to run an experiment; nothing here changes its result.

    Args:
        config: a `config.json` of an earlier run; other keywords win over it.
        out: run directory, by default `runs/<command>/<number>`.
        resume: unfinished run directory to go on with.
        jobs: trainings at once. More than one are processes of their own, so that the script that
            asks for them needs `if __name__ == "__main__":`, as for all processes of Python.
        tensorboard: also write event files for TensorBoard.
        plots: draw the figures.
        progress: show on standard error how it goes.
    """

    config: Path | str | None = None
    out: Path | str | None = None
    resume: Path | str | None = None
    jobs: Annotated[int, Ge(1)] = 1
    tensorboard: bool = False
    plots: bool = False
    progress: bool = False


# Type checkers and editors know each keyword of a function by one of these classes. Types cannot
# say "the keywords of both" in another way than by a class with two bases (PEP 612).


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainDigits(RunKeywords, DigitsConfig):
    """Keywords of `train_digits`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AblateBatchnorm(RunKeywords, BatchnormConfig):
    """Keywords of `ablate_batchnorm`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainRegression(RunKeywords, RegressionConfig):
    """Keywords of `train_regression`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attack(RunKeywords, AttackConfig):
    """Keywords of `attack`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainLangid(RunKeywords, LangidConfig):
    """Keywords of `train_langid`."""


def signature_of(
    keywords: Callable[..., Any], settings: type[Config], *, returns: type
) -> inspect.Signature:
    """The signature of a function with these keywords, but for those that mean nothing to it."""
    hints = get_type_hints(keywords)
    meant = {field.name for field in dataclasses.fields(settings)}
    meant |= session_fields(settings) | {"progress"}
    return inspect.Signature(
        [
            parameter.replace(annotation=hints[name])
            for name, parameter in inspect.signature(keywords).parameters.items()
            if name in meant
        ],
        return_annotation=returns,
    )


def split(given: Mapping[str, Any]) -> tuple[Session, dict[str, Any]]:
    """The session, and the settings, that keywords ask for."""
    names = {field.name for field in dataclasses.fields(RunKeywords)}
    run = validate(RunKeywords, {name: given[name] for name in names & given.keys()})
    session = _with_paths(dataclasses.asdict(run))
    settings = _with_paths({name: value for name, value in given.items() if name not in names})
    return Session(quiet=not session.pop("progress"), **session), settings


def _with_paths(given: dict[str, Any]) -> dict[str, Any]:
    """Keywords, with paths for those that were given as text."""
    return {
        name: path_of(name, value) if name in PATHS and isinstance(value, str) else value
        for name, value in given.items()
    }

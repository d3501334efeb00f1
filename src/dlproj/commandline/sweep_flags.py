"""Command-line flags of `sweep`: those of every command that trains, each with several values."""

import dataclasses
import inspect
import os
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from dlproj.commandline.flags import help_text, parameter, parameters, session_parameters, split
from dlproj.configuration.grid import TRAININGS, SweepConfig
from dlproj.configuration.resolve import flag, read_config_file
from dlproj.configuration.session import Session, settings_of
from dlproj.errors import UsageError

SHARED = ("seed", "seeds", "device", "threads")  # that all cells have in common


def sweep_command(
    app: typer.Typer,
) -> Callable[[Callable[[SweepConfig, Session], None]], Callable[..., None]]:
    """Make the Typer command that takes the flags of all that train, each with several values."""

    def decorate(function: Callable[[SweepConfig, Session], None]) -> Callable[..., None]:
        def run(context: typer.Context, experiment: str | None, **values: Any) -> None:
            session, given = split(values)
            shared = {name: given.pop(name) for name in SHARED if name in given}
            grid = {name: _split(name, given[name]) for name in context.params if name in given}
            if session.resume and (experiment or shared or grid):
                raise UsageError("--resume goes on with a sweep as it was: leave out all settings")
            saved = read_config_file(session.config, "sweep") if session.config else {}
            experiment = experiment or saved.get("experiment")
            if not session.resume and experiment is None:
                raise UsageError(f"COMMAND: name what to train: {', '.join(TRAININGS)}")
            settings = {
                **shared,
                "experiment": experiment,
                "grid": {**saved.get("grid", {}), **grid},
            }
            function(settings_of(SweepConfig, {} if session.resume else settings, session), session)

        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_context(), _experiment(), *_grid_parameters(), *session_parameters(SweepConfig)]
        )
        app.command(SweepConfig.command)(run)
        return function

    return decorate


def _context() -> inspect.Parameter:
    """What knows in which order the flags were given."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter("context", kind, annotation=typer.Context)


def _experiment() -> inspect.Parameter:
    """The first word of a sweep."""
    kind = get_type_hints(SweepConfig)["experiment"]
    argument = typer.Argument(metavar="[COMMAND]", help=f"What to train: {', '.join(TRAININGS)}.")
    return inspect.Parameter(
        "experiment",
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=None,
        annotation=Annotated[kind | None, argument],
    )


def _grid_parameters() -> list[inspect.Parameter]:
    """Flags of all commands that train: lists, as text, but for those that all cells share."""
    shared = [each for each in parameters(SweepConfig) if each.name in SHARED]
    users: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for command, cls in TRAININGS.items():
        for name, hint in get_type_hints(cls, include_extras=True).items():
            if name in {field.name for field in dataclasses.fields(cls)} - {*SHARED}:
                users.setdefault(name, []).append(command)
                texts.setdefault(name, help_text(hint))
    for name, commands in users.items():
        if len(commands) < len(TRAININGS):
            texts[name] = f"{texts[name].rstrip('.')} ({', '.join(commands)})."
    lists = [
        parameter(name, str, text, panel="Values to combine", metavar="A,B,...")
        for name, text in texts.items()
    ]
    return [*lists, *shared]


def _split(name: str, text: str) -> list[str]:
    """The values of a flag; those of `--data` are paths."""
    values = [value.strip() for value in text.split(",")]
    if not all(values):
        raise UsageError(f"{flag(name)}: an empty value in {text!r}")
    return [os.path.realpath(value) for value in values] if name == "data" else values

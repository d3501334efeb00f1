"""Command-line flags made from the settings classes, so that each setting is written once.

How `--lr 0.05` reaches the optimiser, in four stops:

1. `settings/base.py`: `lr` is a field of `TrainingConfig`; its annotation holds range and help.
2. `commandline/flags.py`, here: `command` makes a flag of each field, and settings of the flags.
3. `cli.py`: `train_digits(config, session)` hands that object to `experiments/digits.py`.
4. There, `make_optimizer` gives `config.lr` to `torch.optim.SGD`.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer
from annotated_doc import Doc

from dlproj.configuration.messages import limits
from dlproj.configuration.resolve import as_text, flag, validate
from dlproj.configuration.session import (
    Interval,
    Session,
    parse_interval,
    session_fields,
    settings_of,
)
from dlproj.settings import DEVICES, Config, Fraction

C = TypeVar("C", bound=Config)

PANELS = {
    "": "Experiment",
    "TrainingConfig": "Training",
    "Config": "Repeatability and machine",
    "Session": "Results",
}  # headings of the help, in order, by the class that a setting belongs to; "" is any other


def command(
    app: typer.Typer, settings: type[C]
) -> Callable[[Callable[[C, Session], None]], Callable[..., None]]:
    """Make a Typer command of a function that takes settings and a session."""

    def decorate(function: Callable[[C, Session], None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            session, given = split(values)
            function(settings_of(settings, given, session), session)

        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [*parameters(settings), *session_parameters(settings)]
        )
        app.command(settings.command)(run)
        return function

    return decorate


def split(values: dict[str, Any]) -> tuple[Session, dict[str, Any]]:
    """The session, and the settings, that a command line gives; what is None was not given."""
    given = {name: value for name, value in values.items() if value is not None}
    names = {field.name for field in dataclasses.fields(Session)}
    session = validate(Session, {name: given.pop(name) for name in names & given.keys()})
    return session, given


def parameters(cls: type[Any]) -> Iterator[inspect.Parameter]:
    """A flag for each field of a dataclass, in the order of the help."""
    annotated, bare = get_type_hints(cls, include_extras=True), get_type_hints(cls)
    order = [*PANELS.values()]
    fields = sorted(dataclasses.fields(cls), key=lambda field: order.index(_panel(cls, field.name)))
    for field in fields:
        text, kind = help_text(annotated[field.name]), bare[field.name]
        notes = [limits(annotated[field.name])]
        if field.default not in {None, dataclasses.MISSING}:
            notes.append(f"default {as_text(field.default)}")
        if told := "; ".join(filter(None, notes)):
            text = f"{text.rstrip('.')} ({told})."
        metavar = None
        if any(isinstance(note, Fraction) for note in get_args(annotated[field.name])):
            several = get_args(kind)[-1:] == (Ellipsis,)
            kind, metavar = tuple[str, ...] if several else str, "FLOAT"
        yield parameter(field.name, kind, text, _panel(cls, field.name), metavar)


def parameter(
    name: str, kind: Any, text: str, panel: str, metavar: str | None = None
) -> inspect.Parameter:
    """An optional flag of that type; None tells that the user did not give it."""
    names, more = flag(name), dict[str, Any](metavar=metavar)
    if kind is bool:
        names = f"{flag(name)}/--no-{flag(name)[2:]}"
    elif kind is Interval:
        more = {"parser": parse_interval, "metavar": "N|Ns"}
    elif get_origin(kind) is Literal:
        more = {"metavar": "NAME"}
    elif get_args(kind)[-1:] == (Ellipsis,):  # tuple[float, ...]: a flag that may be repeated
        kind = list[get_args(kind)[0]]  # type: ignore[misc]
    if name == "device":
        more["autocompletion"] = devices
    option = typer.Option(names, help=text, rich_help_panel=panel, **more)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def session_parameters(cls: type[Config]) -> list[inspect.Parameter]:
    """The flags of a session that mean something to a command."""
    return [each for each in parameters(Session) if each.name in session_fields(cls)]


def help_text(annotated: Any) -> str:
    """The description in an annotation."""
    return next(note.documentation for note in get_args(annotated) if isinstance(note, Doc))


def devices(incomplete: str) -> list[str]:
    """What a shell may complete a device to."""
    return [device for device in DEVICES if device.startswith(incomplete)]


def _panel(cls: type[Any], name: str) -> str:
    """The heading in the help, by the first class of the hierarchy that has the field."""
    owner = next(base for base in reversed(cls.__mro__) if name in inspect.get_annotations(base))
    return PANELS.get(owner.__name__, PANELS[""])

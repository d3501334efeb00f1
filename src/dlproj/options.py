"""Command-line flags made from the settings classes, so that each is written once.

`@command(app, DigitsConfig)` on `def train_digits(config, session)` gives a Typer command with
one flag per field of the settings class, and the flags below that say where results go.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer
from annotated_doc import Doc

from dlproj.config import flag, read_config_file, resolve, to_dict
from dlproj.errors import DlprojError, UsageError
from dlproj.settings import DEVICES, Config, TrainingConfig

C = TypeVar("C", bound=Config)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interval:
    """So many steps, or so many seconds."""

    steps: int | None = None
    seconds: float | None = None

    def is_due(self, *, steps: int, seconds: float) -> bool:
        """Whether that much has passed."""
        if self.steps is not None:
            return steps >= self.steps
        return self.seconds is not None and seconds >= self.seconds

    def __str__(self) -> str:
        return f"{self.seconds:g}s" if self.steps is None else str(self.steps)


def parse_interval(text: str | Interval) -> Interval:
    """`500` steps or `30s`."""
    if isinstance(text, Interval):
        return text
    if re.fullmatch(r"\d{1,9}", text):
        return Interval(steps=int(text))
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?s", text):
        return Interval(seconds=float(text[:-1]))
    raise typer.BadParameter(f"must be steps, as in 500, or seconds, as in 30s, not {text!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """Where settings come from, where results go, what is shown: nothing that changes a result."""

    config: Annotated[
        Path | None, typer.Option(help="A config.json of an earlier run; flags win over it.")
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="Run directory (default runs/<command>/<number>).")
    ] = None
    resume: Annotated[Path | None, typer.Option(help="Unfinished run directory to go on with.")] = (
        None
    )
    checkpoint_every: Annotated[
        Interval,
        typer.Option(
            parser=parse_interval,
            metavar="N|Ns",
            help="Save every N steps, or with an s every N seconds.",
        ),
    ] = Interval(seconds=30)
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Trainings at once (default as many as fit the cores)."),
    ] = None
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a Dask cluster: its scheduler, tcp://…"),
    ] = None
    plots: Annotated[bool, typer.Option(help="Draw the figures.")] = True
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write event files for TensorBoard.")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and no remarks.")] = False


def command(
    app: typer.Typer, settings: type[C]
) -> Callable[[Callable[[C, Session], None]], Callable[..., None]]:
    """Make a Typer command of a function that takes settings and a session."""

    def decorate(function: Callable[[C, Session], None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            session = session_of(values)
            flags = {name: value for name, value in values.items() if value is not None}
            function(settings_of(settings, flags, session), session)

        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [*setting_parameters(settings), *session_parameters(settings)]
        )
        app.command(settings.command)(run)
        return function

    return decorate


def optional(name: str, kind: Any, text: str, panel: str, **more: Any) -> inspect.Parameter:
    """An optional flag; None tells that the user did not give it."""
    names = [flag(name), f"--no-{flag(name)[2:]}"] if kind is bool else [flag(name)]
    short = "" if kind is bool else "NAME" if get_origin(kind) is Literal else None
    option = typer.Option(
        "/".join(names), help=text, rich_help_panel=panel, **{"metavar": short, **more}
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def session_of(values: dict[str, Any]) -> Session:
    """The session of a command line, whose flags are taken out of its values."""
    names = [field.name for field in dataclasses.fields(Session) if field.name in values]
    return Session(**{name: values.pop(name) for name in names})


def settings_of(cls: type[C], flags: dict[str, Any], session: Session) -> C:
    """Settings of a new run, or of the run to resume; these cannot be changed half-way."""
    flags = {
        name: value.resolve() if isinstance(value, Path) else value for name, value in flags.items()
    }
    if session.resume is None:
        return resolve(cls, flags, session.config)
    if session.config or session.out:
        raise UsageError("--resume goes on with a run as it was: leave out --config and --out")
    from dlproj.output.run_dir import RunDir  # noqa: PLC0415 - not needed by --help

    if RunDir(session.resume).read_json("config.json") is None:
        raise DlprojError(f"--resume {session.resume}: not a run directory (no config.json)")
    saved = resolve(cls, read_config_file(session.resume, cls.command))
    asked = to_dict(resolve(cls, flags)) if flags else {}
    conflicts = [flag(name) for name in flags if asked[name] != to_dict(saved)[name]]
    if conflicts:
        raise UsageError(
            f"{', '.join(conflicts)}: not what the run in {session.resume} was started with; "
            "leave it out, or start a new run"
        )
    return saved


def session_parameters(cls: type[Config]) -> list[inspect.Parameter]:
    """The flags of a session that mean something to a command.

    Only what trains has steps for TensorBoard, and only what repeats has trainings to spread.
    """
    fields = {field.name for field in dataclasses.fields(cls)}
    left_out = set() if issubclass(cls, TrainingConfig) or "grid" in fields else {"tensorboard"}
    left_out |= set() if "seeds" in fields else {"jobs", "cluster"}
    names = [field.name for field in dataclasses.fields(Session) if field.name not in left_out]
    hints = get_type_hints(Session, include_extras=True)
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(Session, name),
            annotation=_in_panel(hints[name]),
        )
        for name in names
    ]


def _in_panel(hint: Any) -> Any:
    """The same flag, under the heading of its kind in the help."""
    option = get_args(hint)[1]
    option.rich_help_panel = "Results"
    return hint


def setting_parameters(cls: type[Config]) -> list[inspect.Parameter]:
    """The flags of a command's settings, in the order of the help."""
    panels = ["Experiment", "Training", "Repeatability and machine"]
    annotated, bare = get_type_hints(cls, include_extras=True), get_type_hints(cls)
    return [
        _setting_parameter(field, bare[field.name], annotated[field.name], _panel(cls, field.name))
        for field in sorted(
            dataclasses.fields(cls), key=lambda field: panels.index(_panel(cls, field.name))
        )
    ]


def _setting_parameter(
    field: dataclasses.Field[Any], kind: Any, annotated: Any, panel: str
) -> inspect.Parameter:
    """The flag of a setting, with its default in the help."""
    text, shown = text_of(annotated), _shown(field.default)
    if get_origin(kind) is Literal:  # told here, because as a type they would fill the line
        text = f"{text.rstrip('.')}: {', '.join(get_args(kind))}."
    if shown:
        text = f"{text.rstrip('.')} (default {shown})."
    if get_args(kind)[-1:] == (Ellipsis,):  # tuple[float, ...]: a flag that may be repeated
        kind = list[get_args(kind)[0]]  # type: ignore[misc]
    complete = devices if field.name == "device" else None
    return optional(field.name, kind, text, panel, autocompletion=complete)


def text_of(annotated: Any) -> str:
    """The description in an annotation."""
    return next(note.documentation for note in get_args(annotated) if isinstance(note, Doc))


def devices(incomplete: str) -> list[str]:
    """What a shell may complete a device to."""
    return [device for device in DEVICES if device.startswith(incomplete)]


def _panel(cls: type[Config], name: str) -> str:
    """The heading in the help: fields of one class stand together, the command's own first."""
    owner = next(base for base in reversed(cls.__mro__) if name in inspect.get_annotations(base))
    return {TrainingConfig: "Training", Config: "Repeatability and machine"}.get(
        owner, "Experiment"
    )


def _shown(default: Any) -> str:
    match default:
        case None | dataclasses.MISSING:
            return ""
        case bool():
            return "yes" if default else "no"
        case tuple():
            return " ".join(map(str, default))
    return str(default)

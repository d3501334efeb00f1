"""Command-line flags made from the settings classes, so that each is written once.

`@command(app, DigitsConfig)` on `def train_digits(config, session)` gives a Typer command with
one flag per field of the settings class, and the flags below that say where results go.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer
from annotated_doc import Doc

from dlproj.config import Config, TrainingConfig, flag, read_config_file, resolve, to_dict
from dlproj.errors import DlprojError, UsageError
from dlproj.grid import TRAININGS, SweepConfig
from dlproj.output.run_dir import RunDir

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
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and no remarks.")] = False


def command(
    app: typer.Typer, settings: type[C]
) -> Callable[[Callable[[C, Session], None]], Callable[..., None]]:
    """Make a Typer command of a function that takes settings and a session."""
    hints = get_type_hints(settings)

    def decorate(function: Callable[[C, Session], None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            session = _session(values)
            flags = {name: value for name, value in values.items() if value is not None}
            function(_settings(settings, flags, session), session)

        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [*_setting_parameters(settings), *_session_parameters(several="seeds" in hints)]
        )
        app.command(settings.command)(run)
        return function

    return decorate


def sweep_command(
    app: typer.Typer,
) -> Callable[[Callable[[SweepConfig, Session], None]], Callable[..., None]]:
    """Make the Typer command that takes the flags of all that train, each with several values."""
    own = ("seed", "seeds", "device", "threads")

    def decorate(function: Callable[[SweepConfig, Session], None]) -> Callable[..., None]:
        def run(context: typer.Context, experiment: str | None, **values: Any) -> None:
            session = _session(values)
            flags = {name: value for name in own if (value := values.pop(name)) is not None}
            given = [name for name in context.params if values.get(name) is not None]  # in order
            grid = {name: _split(name, values[name]) for name in given}
            if session.resume and (experiment or flags or grid):
                raise UsageError("--resume goes on with a sweep as it was: leave out all settings")
            saved = read_config_file(session.config, "sweep") if session.config else {}
            flags["experiment"] = experiment or saved.get("experiment")
            if not session.resume and flags["experiment"] is None:
                raise UsageError(f"COMMAND: name what to train: {', '.join(TRAININGS)}")
            flags["grid"] = {**saved.get("grid", {}), **grid}
            function(_settings(SweepConfig, {} if session.resume else flags, session), session)

        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_context(), _experiment(), *_grid_parameters(own), *_session_parameters(several=True)]
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


def _grid_parameters(own: tuple[str, ...]) -> list[inspect.Parameter]:
    """Flags of all commands that train: lists, as text, but for those that all cells share."""
    shared = [each for each in _setting_parameters(SweepConfig) if each.name in own]
    users: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for command, cls in TRAININGS.items():
        for name, hint in get_type_hints(cls, include_extras=True).items():
            if name in {field.name for field in dataclasses.fields(cls)} - {*own}:
                users.setdefault(name, []).append(command)
                texts.setdefault(name, _text(hint))
    for name, commands in users.items():
        if len(commands) < len(TRAININGS):
            texts[name] += f" ({', '.join(commands)})"
    lists = [
        _optional(name, str, text, panel="Values to combine", metavar="A,B,...")
        for name, text in texts.items()
    ]
    return [*lists, *shared]


def _optional(name: str, kind: Any, text: str, panel: str, **more: Any) -> inspect.Parameter:
    """An optional flag; None tells that the user did not give it."""
    names = [flag(name), f"--no-{flag(name)[2:]}"] if kind is bool else [flag(name)]
    option = typer.Option("/".join(names), help=text, rich_help_panel=panel, **more)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _split(name: str, text: str) -> list[str]:
    """The values of a flag; those of `--data` are paths."""
    values = [value.strip() for value in text.split(",")]
    if not all(values):
        raise UsageError(f"{flag(name)}: an empty value in {text!r}")
    return [str(Path(value).resolve()) for value in values] if name == "data" else values


def _session(values: dict[str, Any]) -> Session:
    """The session of a command line, whose flags are taken out of its values."""
    names = [field.name for field in dataclasses.fields(Session) if field.name in values]
    return Session(**{name: values.pop(name) for name in names})


def _settings(cls: type[C], flags: dict[str, Any], session: Session) -> C:
    """Settings of a new run, or of the run to resume; these cannot be changed half-way."""
    flags = {
        name: value.resolve() if isinstance(value, Path) else value for name, value in flags.items()
    }
    if session.resume is None:
        return resolve(cls, flags, session.config)
    if session.config or session.out:
        raise UsageError("--resume goes on with a run as it was: leave out --config and --out")
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


def _session_parameters(*, several: bool) -> list[inspect.Parameter]:
    """The flags of a session, of a command that may train several times or not."""
    hints = get_type_hints(Session, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_in_panel(hints[field.name]),
        )
        for field in dataclasses.fields(Session)
        if several or field.name not in {"jobs", "cluster"}
    ]


def _in_panel(hint: Any) -> Any:
    """The same flag, under the heading of its kind in the help."""
    option = get_args(hint)[1]
    option.rich_help_panel = "Results"
    return hint


def _setting_parameters(cls: type[Config]) -> list[inspect.Parameter]:
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
    text, shown = _text(annotated), _shown(field.default)
    if shown:
        text = f"{text.rstrip('.')} (default {shown})."
    if get_args(kind)[-1:] == (Ellipsis,):  # tuple[float, ...]: a flag that may be repeated
        kind = list[get_args(kind)[0]]  # type: ignore[misc]
    return _optional(field.name, kind, text, panel)


def _text(annotated: Any) -> str:
    return next(note.documentation for note in get_args(annotated) if isinstance(note, Doc))


def _panel(cls: type[Config], name: str) -> str:
    """The heading in the help: fields of one class stand together, the command's own first."""
    owner = next(
        base for base in reversed(cls.__mro__) if name in vars(base).get("__annotations__", ())
    )
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

"""Where settings come from, where results go, and what is shown: nothing that changes a result."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from annotated_doc import Doc
from annotated_types import Ge

from dlproj.configuration.resolve import flag, read_config_file, refuse_unused, resolve, to_dict
from dlproj.errors import DlprojError, UsageError
from dlproj.settings import Config, TrainingConfig

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
    """`500` steps or `30s`.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(text, Interval):
        return text
    if re.fullmatch(r"[0-9]{1,9}", text):
        return Interval(steps=int(text))
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?s", text):
        return Interval(seconds=float(text[:-1]))
    raise UsageError(
        f"--checkpoint-every must be steps, as in 500, or seconds, as in 30s, not {text!r}"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """The flags that every experiment takes beside its settings."""

    config: Annotated[
        Path | None, Doc("Take settings from the config.json of a run; flags win over it.")
    ] = None
    out: Annotated[Path | None, Doc("Write into this new folder, not runs/<command>/<number>.")] = (
        None
    )
    resume: Annotated[Path | None, Doc("Go on with the unfinished run in this folder.")] = None
    checkpoint_every: Annotated[
        Interval, Doc("Save after every N steps, or with an s every N seconds.")
    ] = Interval(seconds=30)
    jobs: Annotated[
        Annotated[int, Ge(1)] | None,
        Doc("Train this many networks at once; if not given, as the cores hold."),
    ] = None
    cluster: Annotated[
        str | None, Doc("Train on the Dask cluster with this scheduler, tcp://….")
    ] = None
    plots: Annotated[bool, Doc("Draw the figures.")] = True
    tensorboard: Annotated[bool, Doc("Also write event files for TensorBoard.")] = False
    json: Annotated[bool, Doc("Print the result as one JSON document.")] = False
    quiet: Annotated[bool, Doc("Show no progress and no remarks.")] = False


def session_fields(cls: type[Config]) -> set[str]:
    """The fields of a session that mean something to a command.

    Only what trains has steps for TensorBoard, and only what repeats has trainings to spread.
    """
    fields = {field.name for field in dataclasses.fields(cls)}
    left_out = set() if issubclass(cls, TrainingConfig) or "grid" in fields else {"tensorboard"}
    left_out |= set() if "seeds" in fields else {"jobs", "cluster"}
    return {field.name for field in dataclasses.fields(Session)} - left_out


def settings_of(cls: type[C], given: dict[str, Any], session: Session) -> C:
    """Settings of a new run, or of the run to resume; these cannot be changed half-way.

    Args:
        cls: the command's settings class.
        given: the settings that the user named, by the field's name.
        session: says whether a run is resumed, or a configuration file is read.

    Raises:
        UsageError: a value is wrong, not that of the run to resume, or of no use.
        DlprojError: there is no such run or file.
    """
    given = {
        name: _absolute(value) if isinstance(value, Path) else value
        for name, value in given.items()
    }
    if session.resume is None:
        config = resolve(cls, given, session.config)
        refuse_unused(config, given)
        return config
    if session.config or session.out:
        raise UsageError("--resume goes on with a run as it was: leave out --config and --out")
    from dlproj.store.runs import RunDir  # noqa: PLC0415 - not needed by --help

    if RunDir(session.resume).read_json("config.json") is None:
        raise DlprojError(f"--resume {session.resume}: not a run directory (no config.json)")
    saved = resolve(cls, read_config_file(session.resume, cls.command))
    asked = to_dict(resolve(cls, given)) if given else {}
    conflicts = [flag(name) for name in given if asked[name] != to_dict(saved)[name]]
    if conflicts:
        raise UsageError(
            f"{', '.join(conflicts)}: not what the run in {session.resume} was started with; "
            "leave it out, or start a new run"
        )
    refuse_unused(saved, given)
    return saved


def _absolute(path: Path) -> Path:
    """Where a path leads; a pipe of the shell (`<(…)`) has no other name than its own."""
    resolved = Path(os.path.realpath(path))  # resolve() takes no circle of links
    return path.absolute() if path.is_fifo() else resolved

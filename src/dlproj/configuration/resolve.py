"""Where the settings of a run come from: defaults, a recipe, a configuration file, flags."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from dlproj.configuration.messages import alternatives, expected, item, refusal
from dlproj.configuration.nearest import did_you_mean
from dlproj.configuration.plain import plain
from dlproj.errors import DlprojError, UsageError
from dlproj.limits import file_in, read_limited
from dlproj.settings import Config, OnlyWith

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_BYTES = 1_000_000  # of a configuration file

C = TypeVar("C", bound=Config)
T = TypeVar("T")


def flag(name: str) -> str:
    """The command-line flag of a field: `batch_size` is `--batch-size`."""
    return "--" + name.replace("_", "-")


def resolve(cls: type[C], flags: Mapping[str, Any], file: Path | None = None) -> C:
    """Settings from, in rising priority: defaults, recipe, configuration file, flags.

    Raises:
        UsageError: a value is out of its range; the message names its flag.
        DlprojError: the configuration file is unreadable or belongs to another command.
    """
    saved = read_config_file(file, cls.command) if file else {}
    given = {"recipe": "standard", **saved, **flags} if cls.recipes else {**saved, **flags}
    again = _recipe(cls, given) if "recipe" in flags else {}
    return validate(cls, {**_recipe(cls, given), **saved, **again, **flags})


def _recipe(cls: type[Config], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the recipe that `given` names: of every setting that any recipe changes."""
    name = given.get("recipe")
    if not isinstance(name, str) or name not in cls.recipes:
        return {}
    chosen = dict(cls.recipes[name])
    if name == "standard" and given.get("data") is None:
        chosen |= cls.shipped
    if name == "standard" and given.get("adversarial") is True:
        chosen |= cls.robust
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    changes = (*cls.recipes.values(), cls.shipped, cls.robust)
    touched = {key for recipe in changes for key in recipe}
    return {key: chosen.get(key, defaults[key]) for key in touched}


def validate(cls: type[T], values: Mapping[str, Any]) -> T:
    """Check values against the ranges in the annotations of `cls`.

    Raises:
        UsageError: one is out of its range, or of another kind.
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - not needed by --help

    hints = get_type_hints(cls, include_extras=True)
    values = {name: plain(name, value, hints.get(name)) for name, value in values.items()}
    try:
        return TypeAdapter(cls).validate_python(values)
    except ValidationError as error:
        raise UsageError(_problem(cls, error.errors()[0])) from None


def _problem(cls: type[Any], error: "ErrorDetails") -> str:
    """What pydantic found, in our words."""
    name, *inside = error["loc"]
    hints = get_type_hints(cls, include_extras=True)
    hint = hints.get(str(name))
    if hint is None:  # of a file, and so any text
        meant = did_you_mean(str(name), hints)
        return f"{flag(repr(name)[1:-1])}: not a setting of {cls.command}{meant}"
    if error["type"] == "missing":
        return f"{flag(str(name))} must be given: {expected(hint)}"
    return refusal(flag(str(name)), item(hint) if inside else hint, error["input"])


def as_text(value: Any) -> str:
    """A setting for people."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return repr(value).removesuffix(".0")
        case list() | tuple():
            return " ".join(map(as_text, value))
        case dict():
            return ", ".join(f"{name} {as_text(item)}" for name, item in value.items())
    return str(value)


def unused(config: Config, given: Iterable[str]) -> dict[str, str]:
    """Of the settings that were given, those that nothing will use, and why."""
    found = {}
    for name, hint in get_type_hints(type(config), include_extras=True).items():
        for note in get_args(hint):
            if name in given and isinstance(note, OnlyWith):
                actual = getattr(config, note.setting)
                if actual not in note.values:
                    found[name] = _why_unused(note, actual)
    return found


def refuse_unused(config: Config, given: Iterable[str]) -> None:
    """Whether something uses each of the settings that were given.

    Raises:
        UsageError: nothing would use one; the message names the settings that do.
    """
    for name, why in unused(config, given).items():
        raise UsageError(f"{flag(name)}: nothing uses it {why}")


def _why_unused(note: OnlyWith, actual: Any) -> str:
    other = flag(note.setting)
    if note.values == (True,):
        return f"without {other}"
    if note.values == (None,):
        return f"with {other}"
    return f"with {other} {actual}, only with {other} {alternatives(note.values)}"


def to_dict(config: Config) -> dict[str, Any]:
    """The settings as JSON values, with the command they belong to."""
    values = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in dataclasses.asdict(config).items()
    }
    return {"command": config.command, **values}


def read_config_file(path: Path, command: str) -> dict[str, Any]:
    """The settings in a `config.json` of an earlier run of the same command."""
    if path.is_dir():
        path = file_in(path, "config.json")
    try:
        values = json.loads(read_limited(path, MAX_BYTES))
    except OSError as error:
        raise DlprojError(f"--config {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise DlprojError(f"--config {path}: not a JSON file") from None
    if not isinstance(values, dict):
        raise DlprojError(f"--config {path}: must hold one JSON object of settings")
    values.pop("sha256", None)  # of the file as a run wrote it; here it may have been edited
    owner = values.pop("command", command)
    if owner != command:
        raise DlprojError(f"--config {path}: belongs to {owner}, not to {command}")
    return values

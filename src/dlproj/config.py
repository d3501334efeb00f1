"""Where the settings of a run come from: defaults, a recipe, a configuration file, flags."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from dlproj.errors import DlprojError, UsageError
from dlproj.limits import read_limited
from dlproj.settings import Config

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
    """Check values against the ranges in the annotations of `cls`."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - not needed by --help

    try:
        return TypeAdapter(cls).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        problem = first["msg"].replace("Input should be", "must be")
        raise UsageError(
            f"{flag(str(first['loc'][0]))} {problem}, not {first['input']!r}"
        ) from None


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
        path = path / "config.json"
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

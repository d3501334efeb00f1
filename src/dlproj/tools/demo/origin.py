"""Where the parts of the page come from: of a run, or of what ships."""

import dataclasses
from pathlib import Path
from typing import Any

from torch import nn

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.resolve import flag, read_config_file, resolve
from dlproj.models.files import load_model
from dlproj.reports.finished import Finished
from dlproj.settings import Config

# Settings that change where, not what, is computed; and those that stand in the command already.
UNSHOWN = {"recipe", "adversarial", "threads", "device", "precision"}


def load_network(run: Finished | None, shipped: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a run, or of the first of its seeds; or the one that ships."""
    if run is None:
        return load_model(shipped)
    first = run.path / f"seed-{run.seeds[0]}"
    return load_model(first if first.is_dir() else run.path)


def origin(run: Finished | None, about: dict[str, Any]) -> dict[str, Any]:
    """The command that made a network, its accuracy on the test data, and its run, if it has one.

    Args:
        run: where it is from, or None if it ships.
        about: what was noted beside its weights.
    """
    if run is None:
        shipped = about["origin"]
        return {"command": shipped["command"], "accuracy": shipped["test_accuracy"], "run": None}
    accuracy = next(iter(run.by_seed("test_accuracy").values()))
    return {"command": command_of(run), "accuracy": accuracy, "run": str(run.path)}


def command_of(run: Finished) -> str:
    """The command that makes a run like this: with the flags that its recipe does not say."""
    cls = SETTINGS[run.command]
    config = resolve(cls, read_config_file(run.path, run.command))
    named = {
        name: getattr(config, name) for name in ("recipe", "adversarial") if hasattr(config, name)
    }
    words = ["dlproj", run.command]
    if named.get("recipe", "standard") != "standard":
        words += ["--recipe", named["recipe"]]
    if named.get("adversarial"):
        words.append("--adversarial")
    return " ".join([*words, *_flags(config, resolve(cls, named))])


def _flags(config: Config, usual: Config) -> list[str]:
    """The flags that make of the usual settings these."""
    words: list[str] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in UNSHOWN or value == getattr(usual, field.name):
            continue
        if isinstance(value, bool):
            words.append(flag(field.name if value else f"no_{field.name}"))
        else:
            several = value if isinstance(value, tuple) else (value,)
            words += [word for item in several for word in (flag(field.name), str(item))]
    return words

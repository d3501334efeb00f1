"""What is wrong with a command line that typer does not take, in one line of our own words."""

import inspect
import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_type_hints

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.messages import alternatives, expected, item, refusal, shown
from dlproj.configuration.session import Session
from dlproj.errors import DlprojError, UsageError

if TYPE_CHECKING:
    from typer import TyperException
    from typer.core import TyperCommand, TyperGroup


def explain(error: "TyperException", group: "TyperGroup", words: Sequence[str]) -> str:
    """The line for an error of typer's.

    Args:
        error: what typer says.
        group: all commands.
        words: the command line.

    Raises:
        DlprojError: the command line is right, but a file may not be read.
    """
    name = next((word for word in words if not word.startswith("-")), "")
    command: Any = group.commands.get(name)
    kind, asked = type(error).__name__, str(getattr(error, "option_name", ""))
    if kind == "NoSuchOption":
        return _no_such_flag(asked, name if command else "", group)
    if kind == "BadOptionUsage":
        takes = "does not take" not in error.message
        return _value_amiss(asked, command or group, takes=takes)
    if command is None:
        meant = _meant(name, group.commands) or "; dlproj --help lists them"
        return f"there is no command {shown(name)}{meant}"
    if kind == "MissingParameter":
        needed = error.param  # type: ignore[attr-defined]
        label = needed.metavar or needed.opts[0]
        return f"{name} needs {label}: {_sentence(needed.help)}; {_see(name)}"
    if kind == "BadParameter":
        return _bad_value(error, command)
    return _surplus(error.message, command)


def refuse_empty(group: "TyperGroup", words: Sequence[str]) -> None:
    """Look for a flag with nothing as its value, as `--out "$FOLDER"` has it in a new shell.

    Raises:
        UsageError: there is one; as a path it would mean the current folder.
    """
    command = next((group.commands[word] for word in words if word in group.commands), group)
    for parameter in command.params:
        for name in parameter.opts:
            given = f"{name}=" in words or (name, "") in pairwise(words)
            if given and not getattr(parameter, "is_flag", True):
                raise UsageError(f"{name} needs a value, not ''")


def _no_such_flag(asked: str, name: str, group: "TyperGroup") -> str:
    """Of a flag that the command does not have: the nearest that it has, or who has this one."""
    if not name:
        return f"there is no flag {asked} before the command; dlproj --help lists what there is"
    flags = _flags(group.commands[name])
    owners = [each for each, other in group.commands.items() if asked in _flags(other)]
    if owners:
        return f"{name} has no flag {asked}, which belongs to {', '.join(owners)}; {_see(name)}"
    return f"{name} has no flag {asked}{_meant(asked, flags) or '; ' + _see(name)}"


def _value_amiss(asked: str, command: Any, *, takes: bool) -> str:
    """Of a flag that lacks its value, or has one that it does not take."""
    if takes:
        parameter = next(each for each in command.params if asked in each.opts)
        return f"{asked} needs a value: {_wanted(parameter, command)}"
    other = asked.replace("--", "--no-", 1)
    both = f" or {other}" if other in _flags(command) else ""
    return f"{asked} takes no value: write {asked}{both} alone"


def _bad_value(error: Any, command: Any) -> str:
    """Of a value that is not of the right kind."""
    parameter, label = error.param, _label(error.param)
    if error.__cause__ is None:  # the one thing that typer finds out itself, about paths
        path = error.message.removeprefix("path ").removesuffix(" is not readable.")
        raise DlprojError(f"{label} {path}: Permission denied")
    value = error.__cause__.errors()[0]["input"]
    return refusal(label, item(_hint(parameter, command)), value)


def _surplus(message: str, command: Any) -> str:
    """Of words that are too many."""
    found = re.search(r" \((.*)\)$", message)
    words = shown(found[1] if found else message)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    if not arguments:
        return f"{command.name} takes flags only, such as --out, not {words}; {_see(command.name)}"
    taken = " ".join(each.metavar for each in arguments)
    return f"{command.name} takes one {taken.strip('[]')}, not also {words}; {_see(command.name)}"


def _wanted(parameter: Any, command: Any) -> str:
    """What a flag's value may be."""
    if parameter.name == "checkpoint_every":
        return "steps, as in 500, or seconds, as in 30s"
    wanted = expected(item(_hint(parameter, command)))
    if wanted != "text":
        return wanted
    described = _sentence(parameter.help)
    return f"{parameter.metavar} ({described})" if parameter.metavar else described


def _hint(parameter: Any, command: "TyperCommand") -> Any:
    """The annotation behind a flag or an argument, with its limits."""
    for owner in (SETTINGS.get(str(command.name)), Session):
        hints = get_type_hints(owner, include_extras=True) if owner else {}
        if parameter.name in hints:
            return hints[parameter.name]
    function = inspect.unwrap(command.callback)  # type: ignore[arg-type]
    return inspect.signature(function).parameters[parameter.name].annotation


def _label(parameter: Any) -> str:
    """How a user calls it: `--lr`, `RUN`."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar).strip("[].")
    return str(parameter.opts[0])


def _flags(command: Any) -> set[str]:
    """All flags of a command."""
    return {
        name
        for each in command.params
        for name in (*each.opts, *each.secondary_opts)
        if name.startswith("-")
    }


def _meant(word: str, names: Collection[str]) -> str:
    """A question for the nearest names."""
    near = get_close_matches(word, sorted(names), n=2, cutoff=0.7)
    return f"; did you mean {alternatives(near)}?" if near else ""


def _sentence(text: str) -> str:
    """A help text within a sentence."""
    return text[:1].lower() + text[1:].rstrip(".")


def _see(name: str) -> str:
    return f"see dlproj {name} --help"

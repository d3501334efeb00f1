"""What is wrong with a command line that typer does not take, in one line of our own words."""

import inspect
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

from annotated_types import Ge, Le

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.messages import expected, item, refusal, shown
from dlproj.configuration.nearest import did_you_mean
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
        return _no_such_flag(_as_typed(asked, words), name if command else "", group)
    if kind == "BadOptionUsage":
        takes = "does not take" not in error.message
        return _value_amiss(asked, command or group, takes=takes)
    if command is None:
        meant = did_you_mean(name, {*group.commands, "--help", "--version"})
        return f"there is no command {shown(name)}{meant or '; dlproj --help lists them'}"
    if kind == "MissingParameter":
        needed = error.param  # type: ignore[attr-defined]
        label = needed.metavar or needed.opts[0]
        return f"{name} needs {label}: {_sentence(needed.help)}; {_see(name)}"
    if kind == "BadParameter":
        return _bad_value(error, command)
    return _surplus(error.message, command, words)


def refuse_missing_values(group: "TyperGroup", words: Sequence[str]) -> None:
    """Look for a flag with nothing for its value, or with another flag.

    Nothing is what `--out "$FOLDER"` has in a new shell.

    Raises:
        UsageError: there is one; as a path it would mean the current folder, or one named `--json`.
    """
    before_arguments = words[: words.index("--")] if "--" in words else words
    command = next((group.commands[word] for word in words if word in group.commands), group)
    flags = _flags(command)
    given = [(word[:-1], "") for word in before_arguments if word.endswith("=")]
    for name, value in (*given, *pairwise(before_arguments)):
        taker = next((each for each in command.params if name in each.opts), None)
        if taker and not getattr(taker, "is_flag", True) and (not value or value in flags):
            what = f"the flag {value}" if value else "''"
            raise UsageError(f"{name} needs a value: {_wanted(taker, command)}, not {what}")


def _as_typed(asked: str, words: Sequence[str]) -> str:
    """The whole of a word with one dash, such as `-lr`, of which typer names the first letter."""
    if asked.startswith("--"):
        return asked
    typed = next((word for word in words if word.startswith(asked)), asked)
    return typed.partition("=")[0]


def _no_such_flag(asked: str, name: str, group: "TyperGroup") -> str:
    """Of a flag that the command does not have: the nearest that it has, or who has this one."""
    if not name:
        meant = did_you_mean(asked, {"--help", "--version"})
        listed = "; dlproj --help lists what there is"
        return f"there is no flag {asked} before the command{meant or listed}"
    flags = _flags(group.commands[name])
    owners = [each for each, other in group.commands.items() if asked in _flags(other)]
    if owners:
        return f"{name} has no flag {asked}, which belongs to {', '.join(owners)}; {_see(name)}"
    meant = did_you_mean(asked, flags)
    return f"{name} has no flag {asked}{meant or '; ' + _see(name)}"


def _value_amiss(asked: str, command: Any, *, takes: bool) -> str:
    """Of a flag that lacks its value, or has one that it does not take."""
    if takes:
        parameter = next(each for each in command.params if asked in each.opts)
        return f"{asked} needs a value: {_wanted(parameter, command)}"
    other = f"--{asked[5:]}" if asked.startswith("--no-") else asked.replace("--", "--no-", 1)
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


def _surplus(message: str, command: Any, line: Sequence[str]) -> str:
    """Of words that are too many, such as the value of a flag that takes none, or a second one."""
    found = re.search(r" \((.*)\)$", message)
    surplus = found[1] if found else message
    start = surplus.split(" ")[0]
    repeated = {name for each in command.params if each.multiple for name in each.opts}
    # Each word with the two before it: `--epsilon 0.1 0.2`, or `--quiet 1`.
    for first, second, third in zip(("", *line), line, (*line[1:], ""), strict=False):
        if third == start and first in repeated:
            each = " ".join(f"{first} {value}" for value in (second, *surplus.split(" ")))
            return f"{first} takes one value at a time: write {each}"
        if third == start and second in _flags(command):
            return f"{_value_amiss(second, command, takes=False)}, without {shown(surplus)}"
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    if not arguments:
        flags = f"takes flags only, such as --out, not {shown(surplus)}"
        return f"{command.name} {flags}; {_see(command.name)}"
    taken = " ".join(each.metavar for each in arguments).strip("[]")
    return f"{command.name} takes one {taken}, not also {shown(surplus)}; {_see(command.name)}"


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
    annotation = inspect.signature(function).parameters[parameter.name].annotation
    option: Any = get_args(annotation)[-1]
    low = [] if option.min is None else [Ge(option.min)]
    high = [] if option.max is None else [Le(option.max)]
    return Annotated[annotation, *low, *high] if low or high else annotation


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


def _sentence(text: str) -> str:
    """A help text within a sentence."""
    return text[:1].lower() + text[1:].rstrip(".")


def _see(name: str) -> str:
    return f"see dlproj {name} --help"

"""Hooks of MkDocs: the page of all commands, the page to play with, and links that hold everywhere.

The page of commands is made from the command line and the settings, so that it cannot be wrong.
"""

import dataclasses
import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from dlproj.cli import app
from dlproj.commandline.flags import help_text
from dlproj.configuration.messages import limits
from dlproj.configuration.resolve import as_text, flag
from dlproj.configuration.session import Session
from dlproj.output.console import Console
from dlproj.settings import Config
from dlproj.tools.demo.page import demo

INTRODUCTION = """# Commands

Every command answers `--help`. Flags mean the same everywhere. A recipe is a named set of defaults:
single flags win over it.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add commands.md, which has no file of its own, and play.html, which demo.md shows."""
    files.append(File.generated(config, "commands.md", content=commands_page()))
    files.append(File.generated(config, "play.html", content=demo_page()))
    return files


@cache  # `mkdocs serve` builds at every change
def demo_page() -> bytes:
    """The page of `dlproj demo` with the networks that ship."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "play.html"
        demo([], out, force=False, console=Console(quiet=True))
        return out.read_bytes()


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links of CONTRIBUTING.md into docs/, as they are seen from there."""
    return markdown.replace("](docs/", "](")


def commands_page() -> str:
    """All commands: what each does, its usage, its flags and its recipes."""
    group: Any = typer.main.get_command(app)
    settings = {cls.command: cls for cls in subclasses(Config) if hasattr(cls, "command")}
    parts = [INTRODUCTION]
    for name, command in group.commands.items():
        parts += command_section(name, command, settings.get(name))
    return "\n".join(parts)


def subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    """All classes below one."""
    for below in cls.__subclasses__():
        yield below
        yield from subclasses(below)


def command_section(name: str, command: Any, settings: type[Config] | None) -> Iterator[str]:
    """One command."""
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join(["dlproj", name, *(each.metavar for each in arguments), "[FLAG...]"])
    yield f"## {name}\n\n{command.help}\n\n```text\n{usage}\n```\n"
    if arguments:
        rows = [[f"`{each.metavar}`", each.help or ""] for each in arguments]
        yield table(["argument", "what it is"], rows)
    panels: dict[str, list[list[str]]] = {}
    for parameter in command.params:
        if parameter.param_type_name == "option":
            panel = getattr(parameter, "rich_help_panel", None) or "Flags"
            panels.setdefault(panel, []).append(flag_row(parameter, settings))
    for panel, rows in panels.items():
        heading = f"**{panel}**\n\n" if len(panels) > 1 else ""
        yield heading + table(["flag", "what it does", "values", "default"], rows)
    if settings and settings.recipes:
        yield from recipes_section(settings)


def flag_row(parameter: Any, settings: type[Config] | None) -> list[str]:
    """A flag, from the setting that it was made of, or else as the command line has it."""
    names = " ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    for cls in (settings, Session) if settings else ():
        fields = {field.name: field for field in dataclasses.fields(cls)}
        if parameter.name in fields:
            hint = get_type_hints(cls, include_extras=True)[parameter.name]
            default = shown(fields[parameter.name].default)
            return [names, as_code(help_text(hint)), limits(hint), default]
    return [names, as_code(parameter.help or ""), "", shown(parameter.default)]


def shown(default: Any) -> str:
    """A default for people; none where there is none."""
    return "" if default is None or default is dataclasses.MISSING else as_text(default)


def as_code(text: str) -> str:
    """The flags that a sentence names, as code that is not broken at its hyphens."""
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*)", r'<code class="flag">\1</code>', text)


def recipes_section(settings: type[Config]) -> Iterator[str]:
    """What each recipe sets; a setting that it leaves alone keeps its default."""
    recipes = settings.recipes
    names = list(dict.fromkeys(name for recipe in recipes.values() for name in recipe))
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    rows = [
        [f"`{flag(name)}`"]
        + [as_text(recipe.get(name, defaults[name])) for recipe in recipes.values()]
        for name in names
    ]
    yield "**Recipes**\n\n" + table(["flag", *(f"`{name}`" for name in recipes)], rows)
    for changes, where in (
        (settings.shipped, "the words that ship"),
        (settings.robust, "`--adversarial`"),
    ):
        if changes:
            given = [f"`{flag(name)} {as_text(value)}`" for name, value in changes.items()]
            yield f"With {where}, `standard` takes {', '.join(given)}.\n"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown, without the columns that are empty."""
    kept = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    lines = [[heads[column] for column in kept], ["---"] * len(kept)]
    lines += [[row[column].replace("|", "\\|") for column in kept] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

"""A hook of MkDocs: the page of all commands and flags, written by Typer."""

from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from dlproj.cli import app


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add commands.md, which has no file of its own."""
    command = typer.main.get_command(app)
    context: Any = command.make_context("dlproj", [], resilient_parsing=True)
    text = get_docs_for_click(obj=command, ctx=context, name="dlproj")
    files.append(File.generated(config, "commands.md", content=text))
    return files

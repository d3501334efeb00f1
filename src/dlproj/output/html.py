"""Pages for a browser. This module alone imports Jinja2."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

PAGE = Path(__file__).parent / "page"


def render_report(content: dict[str, Any]) -> str:
    """The report page as one file: its style, script and pictures are inside it."""
    return _environment(PAGE).get_template("report.html").render(content)


def render_run(content: dict[str, Any]) -> str:
    """A finished run as a piece of a page, for notebooks."""
    return _environment(PAGE).get_template("run.html").render(content)


def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

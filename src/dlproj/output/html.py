"""Pages for a browser. This module alone imports Jinja2."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dlproj.output.modules import join_modules

PAGE = Path(__file__).parent / "page"
DEMO = Path(__file__).parent / "demo"


def render_report(content: dict[str, Any]) -> str:
    """The report page as one file: its style, script and pictures are inside it."""
    return _environment(PAGE).get_template("report.html").render(content)


def render_run(content: dict[str, Any]) -> str:
    """A finished run as a piece of a page, for notebooks."""
    return _environment(PAGE).get_template("run.html").render(content)


def render_demo(content: dict[str, Any]) -> str:
    """The page to play with as one file, which no script but its own can run in."""
    style = (DEMO / "demo.css").read_text(encoding="utf-8")
    script = join_modules(DEMO / "ui" / "main.js")
    hashes = {"style_hash": _csp(style), "script_hash": _csp(script)}
    page = _environment(DEMO).get_template("demo.html")
    return page.render({**content, **hashes, "style": style, "script": script})


def _csp(text: str) -> str:
    """What a content security policy knows an inline style or script by."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""ES modules put together into one script, for pages that may not load any.

Each module becomes a function that returns what the module exports, so that private names never
clash. Two forms are understood, which is all that the page's own modules use:
`import { a, b } from "./x.js"` and `import * as x from "./x.js"`; and `export` before a
declaration (`const`, `function`, `async function`, `class`).
"""

import re
from pathlib import Path

IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "(\.{1,2}/[\w./-]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function|async function|class) (\w+))", re.MULTILINE)
ODD = re.compile(r"^(?:import|export)\b", re.MULTILINE)


def join_modules(entry: Path) -> str:
    """One script that does what the module `entry` does, with all that it imports.

    Raises:
        ValueError: an import or export is of a form that is not understood, or goes in a circle.
    """
    done: dict[Path, str] = {}
    _add(entry.resolve(), done, ())
    return "\n".join(done.values())


def _add(path: Path, done: dict[Path, str], importers: tuple[Path, ...]) -> None:
    """Put a module behind all that it imports."""
    if path in importers:
        raise ValueError(f"{path.name}: imports itself, by way of others")
    if path in done:
        return
    source = path.read_text(encoding="utf-8")
    body = EXPORT.sub("", IMPORT.sub("", source))
    if odd := ODD.search(body):
        line = body[odd.start() :].partition("\n")[0]
        raise ValueError(f"{path.name}: not understood: {line}")
    bindings = []
    for names, name in IMPORT.findall(source):
        imported = (path.parent / name).resolve()
        _add(imported, done, (*importers, path))
        binding = names.removeprefix("* as ").replace(" as ", ": ")
        bindings.append(f"const {binding} = {_identifier(imported)};\n")
    exports = ", ".join(EXPORT.findall(source))
    lines = f"{''.join(bindings)}{body}return {{ {exports} }};"
    done[path] = f"const {_identifier(path)} = (() => {{\n{lines}\n}})();"


def _identifier(path: Path) -> str:
    """The name of a module's exports in the script: of its folder and file."""
    return "$" + re.sub(r"\W", "_", f"{path.parent.name}_{path.stem}")

"""The JSON document that each command prints with `--json`, and each run keeps."""

from typing import Any

from dlproj.version import __version__

SCHEMA_VERSION = 1


def document(command: str, **values: Any) -> dict[str, Any]:
    """What a command found, under the heading that all documents share."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "version": __version__,
        **values,
    }

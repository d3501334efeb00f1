"""Whether the user's data are still those that a run was started with."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20
LEFT_BEHIND = {"Thumbs.db", "desktop.ini"}  # by those who look into folders


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files under a folder.

    What can be read but once, as a pipe, has none (""). Hidden files, those that the viewers of
    folders leave behind, and runs that were started there do not count.

    Raises:
        OSError: something cannot be read.
    """
    if not (path.is_file() or path.is_dir()):
        return ""
    digest = hashlib.sha256()
    for file in _files(path) if path.is_dir() else iter([path]):
        digest.update(
            f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode("utf-8", "replace")
        )
        with file.open("rb") as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """The files of the data, in order; a run that was started among them is none of these."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not (Path(place) / name / "config.json").exists()
        )
        for name in sorted(names):
            path = Path(place) / name
            if not name.startswith(".") and name not in LEFT_BEHIND and path.is_file():
                yield path

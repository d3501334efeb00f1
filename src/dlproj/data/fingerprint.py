"""Whether the user's data are still those that a run was started with."""

import hashlib
from pathlib import Path

CHUNK = 1 << 20
LEFT_BEHIND = {"Thumbs.db", "desktop.ini"}  # by those who look into folders


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files under a folder.

    What can be read but once, as a pipe, has none (""). Hidden files, and those that the viewers
    of folders leave behind, do not count.

    Raises:
        OSError: something cannot be read.
    """
    if not (path.is_file() or path.is_dir()):
        return ""
    digest = hashlib.sha256()
    for file in _files(path) if path.is_dir() else [path]:
        digest.update(
            f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode("utf-8", "replace")
        )
        with file.open("rb") as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in LEFT_BEHIND
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )

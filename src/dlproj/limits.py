"""Files of unknown origin, read up to a limit."""

from pathlib import Path

from dlproj.errors import DlprojError


def file_in(folder: Path, name: str) -> Path:
    """A file that was looked for by its name alone.

    Raises:
        DlprojError: something else is in its place; a pipe would be waited for without end.
    """
    path = folder / name
    if path.exists() and not path.is_file():
        raise DlprojError(f"{path}: not an ordinary file")
    return path


def read_limited(path: Path, limit: int) -> bytes:
    """All bytes of a file.

    Raises:
        DlprojError: there are more than `limit`; a device may have no end at all.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise DlprojError(f"{path}: larger than {limit:,} bytes")
    return data

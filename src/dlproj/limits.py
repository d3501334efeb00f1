"""Files of unknown origin: their paths, and their bytes up to a limit."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from dlproj.errors import DlprojError, UsageError


def path_of(name: str, value: Any) -> Path:
    """The path that an argument of this name gives, as such or as text; nothing need be there.

    Raises:
        UsageError: it is none.
        DlprojError: the system cannot look there (too long a name, say).
    """
    if not isinstance(value, str | Path) or not str(value):
        raise UsageError(f"{name} must be a path, not {value!r}")
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            Path(value).stat()
    except ValueError:  # a zero byte, or half a character
        raise UsageError(f"{name} must be a path, not {value!r}") from None
    except OSError as error:
        raise DlprojError(f"{name} {value}: {error.strerror}") from None
    return Path(value)


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

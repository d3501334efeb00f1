"""Files of unknown origin, read up to a limit."""

from pathlib import Path

from dlproj.errors import DlprojError


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

"""The figures of a finished run, as its result vouches for them."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlproj.errors import DlprojError
from dlproj.limits import read_limited
from dlproj.output.figures.captions import CAPTIONS
from dlproj.store.runs import RunDir

MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Picture:
    """A figure that a run drew."""

    name: str  # of its file, without .png
    caption: str
    note: str  # of which seed it is, where there are several
    png: bytes

    @property
    def title(self) -> str:
        """Its name in words."""
        return self.name.replace("_", " ")

    @property
    def base64(self) -> str:
        """Its bytes, for a page."""
        return base64.b64encode(self.png).decode()


def pictures_of(path: Path, result: dict[str, Any], seeds: list[int]) -> Iterator[Picture]:
    """The figures of a run, or of its first seed; nothing outside the run is looked at.

    Raises:
        DlprojError: one is damaged.
    """
    folder, first = path, f"seed-{seeds[0]}"
    if (folder / first).is_dir() and not (folder / first).is_symlink():
        folder /= first
        result = RunDir(folder).result or {"files": {}}
    for file in sorted(folder.glob("*.png")):
        if file.is_symlink() or file.name not in result["files"]:
            continue
        data = read_limited(file, MAX_BYTES)
        if hashlib.sha256(data).hexdigest() != result["files"][file.name]:
            raise DlprojError(f"{file}: damaged, or changed by hand")
        note = f"{first.replace('-', ' ')} of {len(seeds)}" if folder != path else ""
        yield Picture(file.stem, CAPTIONS.get(file.stem, file.stem.replace("_", " ")), note, data)

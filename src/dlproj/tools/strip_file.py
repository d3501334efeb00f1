"""The file of `predict-digit`'s figure, which never takes the place of a user's picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlproj.errors import DlprojError, UsageError
from dlproj.output.console import Console
from dlproj.store.runs import write_file

if TYPE_CHECKING:
    from dlproj.tools.digit_reader import Reading

DEFAULT = Path("predict-digit.png")
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
MARK = b"figure of dlproj predict-digit"
START = 8192  # bytes, within which the mark stands


@dataclass(frozen=True)
class StripFile:
    """Where the figure goes.

    Args:
        path: the file; None for `predict-digit.png`, if that is free.

    Raises:
        UsageError: no picture is written with such a name.
    """

    path: Path | None

    def __post_init__(self) -> None:
        if self.path and self.path.suffix.lower() not in FORMATS:
            raise UsageError(f"--strip {self.path}: must end with {', '.join(FORMATS)}")

    def spare(self, pictures: Sequence[Path]) -> None:
        """Look whether the figure would be drawn over a picture that is to be read.

        Raises:
            UsageError: it would, as `--strip` asks.
        """
        if self.path and any(_same(self.path, picture) for picture in pictures):
            raise UsageError(f"--strip {self.path}: one of the pictures to read; name another file")

    def draw(self, readings: Sequence["Reading"], console: Console) -> None:
        """Draw the figure; where nobody asked for it, that it cannot be written is a remark.

        Raises:
            DlprojError: the file that `--strip` names cannot be written.
        """
        from dlproj.output.figures.fonts import find_fonts  # noqa: PLC0415 - takes a second
        from dlproj.output.figures.strip import Panel, draw_strip  # noqa: PLC0415

        labels = [one.label for reading in readings for one in reading.predictions]
        console.remark(find_fonts(labels))
        path = self.path or DEFAULT
        panels = [
            Panel(
                reading.picture.shown,
                [[side / reading.picture.scale for side in digit.box] for digit in reading.digits],
                [digit.image.numpy() for digit in reading.digits],
                [(one.label, one.confidence) for one in reading.predictions],
            )
            for reading in readings
        ]
        try:
            if not self.path and path.exists() and not is_strip(path):
                raise DlprojError(f"{path}: not drawn over; name a file for the figure: --strip")
            if not path.parent.is_dir():
                raise DlprojError(f"--strip {path}: no folder {path.parent}")
            kind = FORMATS[path.suffix.lower()]
            write_file(path, draw_strip(panels, kind=kind, mark=MARK.decode()))
        except (OSError, DlprojError) as error:
            known = isinstance(error, DlprojError)
            failure = str(error) if known else f"--strip {path}: cannot be written ({error})"
            if self.path:
                raise DlprojError(failure) from None
            console.note(failure)
        else:
            console.note(f"what the network saw is in {path}")


def is_strip(path: Path) -> bool:
    """Whether a file is a figure of predict-digit."""
    try:
        with path.open("rb") as file:
            return MARK in file.read(START)
    except OSError:
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()

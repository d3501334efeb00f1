"""Finished runs, read back from their directories."""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from torch import nn

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.resolve import resolve
from dlproj.errors import DlprojError
from dlproj.models.files import load_model
from dlproj.output.tables import READERS
from dlproj.output.tables.base import Table, by_seed
from dlproj.reports.figures import Picture, pictures_of
from dlproj.results.document import check_document
from dlproj.store.runs import RunDir

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, repr=False)
class Finished:
    """A finished run: where it is, its `result.json`, and that as tables.

    At the end of a notebook's cell it shows its tables and figures.
    """

    path: Path
    result: dict[str, Any]
    tables: Sequence[Table]

    @property
    def command(self) -> str:
        """What made it."""
        return str(self.result["command"])

    @property
    def config(self) -> dict[str, Any]:
        """Every setting that was in force."""
        return dict(self.result["config"])

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers."""
        return dict(self.result["metrics"])

    @property
    def timing(self) -> dict[str, Any]:
        """Seconds, and examples per second."""
        return dict(self.result["timing"])

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`: one for each step."""
        return list(RunDir(self.path).records())

    @property
    def remarks(self) -> list[str]:
        """What was unusual about the user's data."""
        return list(self.result.get("remarks", []))

    @property
    def model(self) -> nn.Module:
        """The network that was trained, in evaluation mode, read anew each time.

        Raises:
            DlprojError: the run has none; those of several seeds are in folders of their own.
        """
        return load_model(self.path)[0]

    @property
    def seeds(self) -> list[int]:
        """The seeds it was repeated with."""
        seed = self.config["seed"]
        return list(range(seed, seed + self.config.get("seeds", 1)))

    def by_seed(self, name: str) -> dict[int, float]:
        """A scalar metric of each seed; none where the run has no such metric."""
        return by_seed(self.metrics.get(name), self.seeds)

    @property
    def scalars(self) -> dict[str, dict[int, float]]:
        """Every number that can be compared between runs, by seed."""
        found = READERS[self.command].scalars(self.metrics, self.seeds)
        return {name: values for name, values in found.items() if values}

    @property
    def headline(self) -> str:
        """The number that matters most."""
        return READERS[self.command].headline(self.metrics)

    @property
    def pictures(self) -> list[Picture]:
        """The figures as files, with their captions."""
        return [*pictures_of(self.path, self.result, self.seeds)]

    @property
    def figures(self) -> "dict[str, Image.Image]":
        """The figures by name; of a run over several seeds, those of the first."""
        return {picture.name: Image.open(io.BytesIO(picture.png)) for picture in self.pictures}

    def to_pandas(self) -> "pandas.DataFrame":
        """The records as a table, a row for each step.

        Raises:
            DlprojError: pandas is not installed.
        """
        try:
            import pandas  # noqa: PLC0415 - optional
        except ImportError:
            raise DlprojError("to_pandas needs pandas: pip install pandas") from None
        return pandas.DataFrame(self.records)

    def __repr__(self) -> str:
        return f"<{self.command} in {self.path}: {self.headline}>"

    def _repr_html_(self) -> str:
        from dlproj.output.html import render_run  # noqa: PLC0415 - for notebooks alone

        return render_run(
            {
                "title": self.command,
                "headline": self.headline,
                "seconds": self.result["timing"]["total_seconds"],
                "path": self.path,
                "tables": self.tables,
                "pictures": self.pictures,
            }
        )


def load_run(path: Path) -> Finished:
    """One finished run.

    Raises:
        DlprojError: it is none, or its result is damaged or of another version.
    """
    result = RunDir(path).result if path.is_dir() else None
    if result is None:
        raise DlprojError(f"{path}: not a finished run (no result.json)")
    try:
        check_document(result)
        settings = {name: value for name, value in result["config"].items() if name != "command"}
        resolve(SETTINGS[result["command"]], settings)
        tables = READERS[result["command"]].tables(result["metrics"], result["timing"])
        run = Finished(path, result, tables)
        _ = run.scalars  # as many values as seeds
    except (ValueError, DlprojError):
        raise DlprojError(f"{path}: its result.json is not of this version of dlproj") from None
    return run


def find_runs(folder: Path) -> Iterator[Path]:
    """Directories of finished runs under a folder, in order; the seeds of a run are not its own."""
    for name, folders, files in os.walk(folder):
        if "config.json" in files:
            folders.clear()
            if "result.json" in files:
                yield Path(name)
        folders.sort(key=lambda part: (len(part), part))


def runs_at(path: Path) -> list[Path]:
    """A run, finished or not; or the finished runs under a folder."""
    return [path] if (path / "config.json").exists() else [*find_runs(path)]


def differences(runs: Sequence[Finished]) -> dict[str, list[Any]]:
    """Settings that are not the same in all runs, with the value in each."""
    names = dict.fromkeys(name for run in runs for name in run.config)
    table = {name: [run.config.get(name) for run in runs] for name in names}
    return {
        name: values
        for name, values in table.items()
        if any(value != values[0] for value in values)
    }

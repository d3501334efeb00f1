"""The terminal: results on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from rich import box
from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

if TYPE_CHECKING:
    from dlproj.training.loop import Step


T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first column names the row, the others hold numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = True  # or else text, aligned to the left


@dataclass
class _Epoch:
    """Running means over one epoch."""

    started: float = field(default_factory=time.perf_counter)
    examples: int = 0
    loss: float = 0.0
    score: float = 0.0

    def add(self, step: "Step") -> None:
        self.examples += step.examples
        self.loss += (step.loss - self.loss) * step.examples / self.examples
        if step.score is not None:
            self.score += (step.score - self.score) * step.examples / self.examples

    def describe(self, step: "Step", unit: str) -> str:
        seconds = time.perf_counter() - self.started
        score = f"accuracy {self.score:.4f}  " if step.score is not None else ""
        return f"loss {self.loss:.4g}  {score}{self.examples / seconds:,.0f} {unit}/s"


class Console:
    """Progress, remarks and results, as the session asks for them."""

    def __init__(self, *, quiet: bool = False, json: bool = False) -> None:
        self._quiet = quiet
        self._json = json
        self._out = RichConsole(highlight=False)
        self._err = RichConsole(stderr=True, highlight=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Taken to another process, it is silent there."""
        return partial(Console, quiet=True), ()

    def note(self, text: str) -> None:
        """A remark on standard error."""
        if not self._quiet:
            self._err.print(text, markup=False, soft_wrap=True)

    def error(self, text: str) -> None:
        """What could not be done, where there is more to do; on standard error, quiet or not."""
        self._err.print(f"dlproj: {' '.join(text.split())}", markup=False, soft_wrap=True)

    def watch(self, steps: Iterable["Step"], unit: str) -> Iterator["Step"]:
        """Pass steps through, showing how the training goes: a bar, or a line for each epoch."""
        if self._quiet:
            yield from steps
        elif self._err.is_terminal:
            yield from self._bar(steps, unit)
        else:
            yield from self._lines(steps, unit)

    def _bar(self, steps: Iterable["Step"], unit: str) -> Iterator["Step"]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Progress(*columns, console=self._err, expand=True) as progress:
            epoch, task = _Epoch(), progress.add_task("starting", total=None, state="")
            for step in steps:
                epoch.add(step)
                progress.update(
                    task,
                    description=f"epoch {step.epoch}/{step.epochs}",
                    completed=step.step,
                    total=step.steps,
                    state=epoch.describe(step, unit),
                )
                if step.ends_epoch and step.step < step.steps:
                    epoch = _Epoch()
                yield step

    def _lines(self, steps: Iterable["Step"], unit: str) -> Iterator["Step"]:
        epoch = _Epoch()
        for step in steps:
            epoch.add(step)
            if step.ends_epoch:
                self.note(f"epoch {step.epoch}/{step.epochs}  {epoch.describe(step, unit)}")
                epoch = _Epoch()
            yield step

    def count(self, items: Iterable[T], unit: str, total: int | None = None) -> Iterator[T]:
        """Pass items through, showing on a terminal how many are done, of so many in total."""
        hidden = self._quiet or not self._err.is_terminal
        columns = (
            TextColumn(f"{{task.completed}}/{{task.total}} {unit}"),
            BarColumn(bar_width=None),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Progress(*columns, console=self._err, expand=True, disable=hidden) as progress:
            yield from progress.track(items, total)

    def result(self, document: dict[str, Any], tables: Iterable[Table]) -> None:
        """The result of a command: tables, or the JSON document."""
        if self._json:
            print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
            return
        for table in tables:
            # The title stands by itself, because rich would fold it to the width of the table.
            self._out.print(table.title, style="bold", markup=False)
            self._out.print(_render(table))

    def lines(self, lines: Iterable[str]) -> None:
        """Lines on standard output, as they are, for other programs to read."""
        sys.stdout.writelines(line + "\n" for line in lines)


def _render(table: Table) -> RichTable:
    rendered = RichTable(box=box.SIMPLE_HEAD, show_header=any(table.columns))
    for index, column in enumerate(table.columns):
        rendered.add_column(column, justify="right" if index and table.numbers else "left")
    for row in table.rows:
        rendered.add_row(*row)
    return rendered

"""The terminal: results on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from rich import box
from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

from dlproj.output.tables.base import Table
from dlproj.visible import visible

if TYPE_CHECKING:
    from dlproj.training.loop import Step


T = TypeVar("T")
UNLIMITED = 100_000  # letters of a line

REFRESH = 0.2  # seconds between two looks of a line that changes


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
        self._out = _open(stderr=False)
        self._err = _open(stderr=True)
        self._remarked = set[str]()

    @property
    def _draws(self) -> bool:
        """Whether a bar can be drawn: not in a file, even where colours are forced."""
        return self._err.file.isatty() and not self._err.is_dumb_terminal

    def __reduce__(self) -> tuple[Any, ...]:
        """Taken to another process, it is silent there."""
        return partial(Console, quiet=True), ()

    def note(self, text: str) -> None:
        """A remark on standard error."""
        if not self._quiet:
            self._err.print(visible(text), soft_wrap=True)

    def remark(self, text: str) -> None:
        """A note that is made once, however many trainings give rise to it."""
        if text and text not in self._remarked:
            self._remarked.add(text)
            self.note(text)

    def error(self, text: str) -> None:
        """What could not be done, where there is more to do; on standard error, quiet or not."""
        self._err.print(visible(f"dlproj: {' '.join(text.split())}"), soft_wrap=True)

    def watch(self, steps: Iterable["Step"], unit: str) -> Iterator["Step"]:
        """Pass steps through, showing how the training goes: a bar, or a line for each epoch."""
        if self._quiet:
            yield from steps
        elif self._draws:
            yield from self._bar(steps, unit)
        elif _in_notebook():
            yield from self._line_in_place(steps, unit)
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

    def _line_in_place(self, steps: Iterable["Step"], unit: str) -> Iterator["Step"]:
        """One line of a notebook's cell, written over again and again, and left as it ends."""
        epoch, shown = _Epoch(), 0.0
        for step in steps:
            epoch.add(step)
            if step.ends_epoch or time.perf_counter() - shown > REFRESH:
                text = f"epoch {step.epoch}/{step.epochs}  {epoch.describe(step, unit)}"
                sys.stderr.write(f"\r{text:<78}")
                sys.stderr.flush()
                shown = time.perf_counter()
            if step.ends_epoch and step.step < step.steps:
                epoch = _Epoch()
            yield step
        sys.stderr.write("\n")

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
        hidden = self._quiet or not self._draws
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
            ascii_only = not self._out.encoding.startswith("utf")
            print(json.dumps(document, indent=2, ensure_ascii=ascii_only, allow_nan=False))
            return
        for table in tables:
            # The title stands by itself, because rich would fold it to the width of the table.
            self._out.print(visible(table.title), style="bold")
            self._out.print(_render(table))

    def lines(self, lines: Iterable[str]) -> None:
        """Lines on standard output, as they are, for other programs to read."""
        sys.stdout.writelines(line + "\n" for line in lines)


def _in_notebook() -> bool:
    """Whether a cell of a notebook runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def _open(*, stderr: bool) -> RichConsole:
    """The terminal; or else, for other programs, lines of any length."""
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream is not None and stream.isatty()
    width = None if terminal else UNLIMITED
    # What is shown may be anybody's text: no markup, and no :names: of emoji in it.
    return RichConsole(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)


def _render(table: Table) -> RichTable:
    rendered = RichTable(box=box.SIMPLE_HEAD, show_header=any(table.columns))
    for index, column in enumerate(table.columns):
        rendered.add_column(
            Text(visible(column)),
            justify="right" if index and table.numbers else "left",
            overflow="fold",
        )
    for row in table.rows:
        rendered.add_row(*(Text(visible(cell)) for cell in row))
    return rendered

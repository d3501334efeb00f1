"""The result of `sweep` for people."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from dlproj.configuration.resolve import as_text, flag
from dlproj.output.tables.base import Table, by_seed
from dlproj.output.text import number, percent
from dlproj.results import SweepMetrics, SweepTiming


def tables(metrics: SweepMetrics, timing: SweepTiming) -> list[Table]:
    """The result for people."""
    score, cells, first = metrics["score"], metrics["cells"], metrics["best"]
    falls = score.endswith("loss")
    show = partial(number, form=".3g") if falls else percent
    names = list(cells[0]["settings"])
    seeds = len(cells[0]["seeds"]) + cells[0]["diverged"]
    parts: list[Literal["mean", "std"]] = ["mean", "std"] if seeds > 1 else ["mean"]
    rows = [
        [
            str(cell["rank"]),
            *(as_text(cell["settings"][name]) for name in names),
            *(show(cell["score"][part]) if cell["score"] else "-" for part in parts),
            str(cell["diverged"] or ""),
        ]
        for cell in cells
    ]
    columns = ("", *(flag(name)[2:] for name in names), *parts, "diverged")
    title = f"{metrics['experiment']} by {score.replace('_', ' ')}"
    title += f", means of {seeds} seeds" if seeds > 1 else ""
    test: Literal["test_loss", "test_accuracy"] = "test_loss" if falls else "test_accuracy"
    reached = first.get(test)
    found = [[test.replace("_", " "), show(reached["mean"]) if reached else "none"]]
    found += [["training, all cells", f"{timing['train_seconds']:.0f} s"]]
    return [Table(title, columns, rows), Table(f"Best: {first['name']}", ("", ""), found)]


def headline(metrics: SweepMetrics) -> str:
    """The number that matters most."""
    return f"best: {metrics['best']['name']}"


def scalars(metrics: SweepMetrics, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The numbers to compare between runs, by seed."""
    score = metrics["score"].replace("_", " ")
    return {
        f"{score} at {cell['name']}": by_seed(cell["score"], cell["seeds"])
        for cell in metrics["cells"]
    }

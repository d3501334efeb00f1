"""What differs between finished runs of one kind: settings, and numbers paired by seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlproj import statistics
from dlproj.configuration.resolve import as_text
from dlproj.errors import DlprojError, UsageError
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.tables.base import Table
from dlproj.reports.finished import Finished, differences, load_run


def compare(paths: Sequence[Path], *, console: Console) -> None:
    """Show what differs between the first run and each of the others.

    Raises:
        UsageError: fewer than two runs are named.
        DlprojError: one is no finished run, or they are of different commands.
    """
    if len(paths) < 2:
        raise UsageError("RUN: name two runs or more to compare")
    runs = [load_run(path) for path in paths]
    commands = {run.command for run in runs}
    if len(commands) > 1:
        raise DlprojError(f"these are runs of {' and '.join(sorted(commands))}: compare one kind")
    metrics = [compare_metric(name, runs) for name in metric_names(runs)]
    settings = differences(runs)
    found = document(
        "compare",
        runs=[str(path) for path in paths],
        settings=settings,
        metrics=metrics,
    )
    console.result(found, tables(paths, settings, metrics))


def metric_names(runs: Sequence[Finished]) -> list[str]:
    """Metrics that the runs share and that are numbers in each; of an attack, by epsilon."""
    return [name for name in runs[0].scalars if all(name in run.scalars for run in runs[1:])]


def compare_metric(name: str, runs: Sequence[Finished]) -> dict[str, Any]:
    """One number in each run, and the paired tests of the other runs against the first.

    Their p-values are adjusted for their number.
    """
    values = [run.scalars[name] for run in runs]
    first, *others = values
    shared = [sorted(first.keys() & other.keys()) for other in others]
    found = iter(
        statistics.compare(
            [
                ([other[seed] for seed in seeds], [first[seed] for seed in seeds])
                for other, seeds in zip(others, shared, strict=True)
                if seeds
            ]
        )
    )
    tests = [{"seeds": seeds, **(next(found) if seeds else {})} for seeds in shared]
    return {
        "name": name,
        "means": [sum(own.values()) / len(own) for own in values],
        "counts": [len(own) for own in values],
        "tests": tests,
    }


def tables(
    paths: Sequence[Path], settings: dict[str, list[Any]], metrics: Sequence[dict[str, Any]]
) -> list[Table]:
    """The comparison for people."""
    letters = [chr(ord("A") + index) for index in range(len(paths))]
    key = [[letter, str(path)] for letter, path in zip(letters, paths, strict=True)]
    changed = [[name, *map(as_text, values)] for name, values in settings.items()]
    result = [Table("Runs", ("", ""), key, numbers=False)]
    if changed:
        result.append(Table("Settings that differ", ("setting", *letters), changed, numbers=False))
    else:
        result.append(Table("The settings are the same", ("",), []))
    rows = [[metric["name"], *(f"{mean:,.6g}" for mean in metric["means"])] for metric in metrics]
    result.append(Table("Means over the seeds", ("metric", *letters), rows))
    for index, letter in enumerate(letters[1:]):
        paired = [
            [metric["name"], *_test_cells(metric["tests"][index])]
            for metric in metrics
            if metric["tests"][index]["seeds"]
        ]
        if paired:
            title = f"{letter} against A, paired by seed"
            columns = ("metric", "seeds", "difference", "95 %", "p", "effect size")
            result.append(Table(title, columns, paired))
    return result


def _test_cells(test: dict[str, Any]) -> list[str]:
    low, high = test["ci95"]
    alone = test["p_value"] is None
    return [
        str(len(test["seeds"])),
        f"{test['difference']:+.3g}",
        "" if alone else f"{low:+.3g} to {high:+.3g}",
        "" if alone else f"{test['p_adjusted']:.2g}",
        "" if test["effect_size"] is None else f"{test['effect_size']:+.2g}",
    ]

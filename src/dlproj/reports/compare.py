"""What differs between finished runs of one kind: settings, and numbers paired by seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlproj.errors import DlprojError, UsageError
from dlproj.output.console import Console, Table
from dlproj.output.document import document
from dlproj.reports.finished import ODD, Finished, differences, load_run, shown
from dlproj.statistics import paired_test


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
    try:
        metrics = [row for name in metric_names(runs) if (row := compare_metric(name, runs))]
    except ODD:
        raise DlprojError("a result.json is not of this version of dlproj") from None
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
    return [name for name in scalars(runs[0]) if all(name in scalars(run) for run in runs[1:])]


def scalars(run: Finished) -> dict[str, dict[int, float]]:
    """Every number of a run, by seed."""
    found = {name: run.by_seed(name) for name in run.metrics if name != "parameters"}
    for row in run.metrics.get("attacks", ()):
        found[f"accuracy at {row['epsilon']:g}"] = {run.seeds[0]: row["accuracy"]}
    for cell in run.metrics.get("cells", ()):
        if run.command == "sweep":
            scores = cell["score"]["values"] if cell["score"] else []
            name = f"{run.metrics['score'].replace('_', ' ')} at {cell['name']}"
            found[name] = dict(zip(cell["seeds"], scores, strict=True))
            continue
        for arm in ("with", "without"):
            values = dict(zip(run.seeds, cell[arm]["values"], strict=True))
            found[f"{arm} BatchNorm at {cell['lr']:g}"] = values
    return {name: values for name, values in found.items() if values}


def compare_metric(name: str, runs: Sequence[Finished]) -> dict[str, Any]:
    """One number in each run, and the paired test of each other run against the first."""
    values = [scalars(run)[name] for run in runs]
    first, *others = values
    tests = []
    for other in others:
        seeds = sorted(first.keys() & other.keys())
        test = paired_test([other[s] for s in seeds], [first[s] for s in seeds]) if seeds else None
        tests.append({"seeds": seeds, **(test or {})})
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
    changed = [[name, *map(shown, values)] for name, values in settings.items()]
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
            columns = ("metric", "seeds", "difference", "95 %", "p")
            result.append(Table(title, columns, paired))
    return result


def _test_cells(test: dict[str, Any]) -> list[str]:
    low, high = test["ci95"]
    alone = test["p_value"] is None
    return [
        str(len(test["seeds"])),
        f"{test['difference']:+.3g}",
        "" if alone else f"{low:+.3g} to {high:+.3g}",
        "" if alone else f"{test['p_value']:.2g}",
    ]

"""Finished runs, computed again from their own configuration and compared byte for byte."""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.resolve import read_config_file, resolve
from dlproj.configuration.session import Session
from dlproj.errors import DlprojError
from dlproj.experiments import attack, batchnorm, sweep
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.tables.base import Table
from dlproj.reports.finished import runs_at
from dlproj.running.context import Context, Experiment
from dlproj.running.data_check import check_data
from dlproj.running.perform import document_of
from dlproj.store.runs import RECORDS, RunDir, new_run, refuse_links
from dlproj.training.device import choose_machine
from dlproj.version import __version__

EXPERIMENTS: dict[str, Experiment] = {
    **sweep.EXPERIMENTS,
    "ablate-batchnorm": batchnorm.run,
    "attack": attack.run,
    "sweep": sweep.run,
}
TIMES = {"seconds"}  # keys that differ from run to run


def verify(paths: Sequence[Path], *, console: Console) -> bool:
    """Compute finished runs again, and say whether they come out the same.

    Args:
        paths: run directories, or folders to search for them.
        console: where to say what was found.

    Returns:
        Whether all are the same. Among several, a damaged one counts as different.

    Raises:
        DlprojError: a path holds no finished run, or the only one is damaged.
    """
    runs = [run for path in paths for run in runs_at(path) or [path]]
    if len(runs) == 1:
        comparison = computed_again(runs[0], console=console)
        table = Table("Computed again", ("", ""), rows(comparison), numbers=False)
        console.result(document("verify", run=str(runs[0]), **comparison), [table])
        return bool(comparison["identical"])
    found = []
    for run in runs:
        try:
            comparison = computed_again(run, console=console)
        except DlprojError as error:
            comparison = {"identical": False, "error": str(error)}
        found.append({"run": str(run), **comparison})
    verdicts = [[each["run"], verdict(each)] for each in found]
    table = Table("Computed again", ("", ""), verdicts, numbers=False)
    identical = all(each["identical"] for each in found)
    console.result(document("verify", identical=identical, runs=found), [table])
    return identical


def computed_again(path: Path, *, console: Console) -> dict[str, Any]:
    """A run compared with the same run, computed again.

    Raises:
        DlprojError: `path` is no finished run, or one of its files is damaged.
    """
    run = RunDir(path)
    refuse_links(path)
    saved = run.result
    if saved is None or saved.get("command") not in EXPERIMENTS:
        raise DlprojError(f"{path}: not a finished run of a dlproj experiment (no result.json)")
    check_files(run, saved)
    command = saved["command"]
    config = resolve(SETTINGS[command], read_config_file(path, command))
    check_data(config, run)
    console.note(f"computing {path} again")
    with tempfile.TemporaryDirectory() as folder, new_run("verify", Path(folder) / "run") as again:
        # Figures show the numbers that are compared, and so are not drawn again.
        session = Session(plots=False, quiet=True)
        machine = choose_machine(
            config.device, config.precision, config.threads, trainings=config.trainings
        )
        quiet = dataclasses.replace(session, json=True)
        context = Context(machine, again, Console(quiet=True, json=True), quiet)
        replayed = document_of(EXPERIMENTS[command], config, context)
        return difference_between(run, saved, again, replayed)


def check_files(run: RunDir, result: dict[str, Any]) -> None:
    """Compare the files of a run, and of its seeds, with the checksums in their results.

    Raises:
        DlprojError: one is damaged or gone.
    """
    found = run.digests()
    for name, digest in result["files"].items():
        if found.get(name) != digest:
            what = "damaged, or changed by hand" if name in found else "missing"
            raise DlprojError(f"{run.path / name}: {what}")
    for folder in sorted(run.path.glob("seed-*")):
        child = RunDir(folder)
        check_files(child, child.result or {"files": {"result.json": ""}})


def difference_between(
    run: RunDir, saved: dict[str, Any], again: RunDir, replayed: dict[str, Any]
) -> dict[str, Any]:
    """What is the same of two runs, and where the first difference is."""
    numbers = list(changed(without_times(saved["metrics"]), without_times(replayed["metrics"])))
    metrics = not numbers
    networks = list(_weights(run.path))
    weights = networks == list(_weights(again.path))
    first = None if metrics and weights else first_difference(run.path, again.path)
    other = {
        name: [saved["environment"].get(name), value]
        for name, value in replayed["environment"].items()
        if saved["environment"].get(name) != value
    }
    if saved["version"] != __version__:
        other["dlproj"] = [saved["version"], __version__]
    return {
        "identical": metrics and weights,
        "metrics_identical": metrics,
        "weights_identical": weights,
        "trained": len(networks),
        "first_difference": first,
        "first_number": numbers[0] if numbers else None,
        "environment_differences": other,
    }


def without_times(value: Any) -> Any:
    """Metrics without those that are seconds."""
    match value:
        case dict():
            return {key: without_times(item) for key, item in value.items() if key not in TIMES}
        case list():
            return [without_times(item) for item in value]
    return value


def changed(saved: Any, replayed: Any, name: str = "") -> Iterator[dict[str, Any]]:
    """The metrics that differ: the name of each, what the result says, what came out again."""
    if isinstance(saved, dict) and isinstance(replayed, dict):
        for key in dict.fromkeys([*saved, *replayed]):
            yield from changed(saved.get(key), replayed.get(key), f"{name}.{key}".strip("."))
    elif saved != replayed:
        yield {"name": name, "saved": saved, "replayed": replayed}


def _weights(path: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(path.rglob("model.safetensors")):
        yield str(file.relative_to(path)), hashlib.sha256(file.read_bytes()).hexdigest()


def first_difference(one: Path, other: Path) -> dict[str, Any] | None:
    """The first record that two runs do not share."""
    for file in sorted(one.rglob(RECORDS)):
        name = file.relative_to(one)
        mine, theirs = (path.joinpath(name).read_bytes().splitlines() for path in (one, other))
        for left, right in zip(mine, theirs, strict=False):
            record, replayed = json.loads(left), json.loads(right)
            if without_times(record) | {"sha256": ""} != without_times(replayed) | {"sha256": ""}:
                return {"file": str(name), "record": record, "replayed": replayed}
    return None


def rows(comparison: dict[str, Any]) -> list[list[str]]:
    """The comparison for people."""
    words = {True: "identical", False: "different"}
    found = [
        ["metrics", words[comparison["metrics_identical"]]],
        ["weights", words[comparison["weights_identical"]]],
    ]
    if comparison["first_difference"]:
        record = comparison["first_difference"]["record"]
        keys = ("epoch", "step", "lr", "seed", "arm")
        place = [f"{key} {_short(record[key])}" for key in keys if key in record]
        found.append(["first difference", ", ".join(place)])
    if comparison["first_number"]:
        found.append(["first number", _number(comparison["first_number"])])
    if not comparison["identical"]:
        found.append(["likely cause", cause_of(comparison)])
    return found


def verdict(found: dict[str, Any]) -> str:
    """One line on one of several runs."""
    if "error" in found:
        return (
            str(found["error"]).removeprefix(f"{found['run']}/").removeprefix(f"{found['run']}: ")
        )
    if found["identical"]:
        return "identical"
    number = f"{_number(found['first_number'])}: " if found["first_number"] else ""
    return f"different: {number}{cause_of(found)}"


def _number(first: dict[str, Any]) -> str:
    saved, again = (_short(first[key])[:60] for key in ("saved", "replayed"))
    return f"{first['name']} is {saved} in result.json, {again} again"


def cause_of(comparison: dict[str, Any]) -> str:
    """What explains best that a run came out differently."""
    other = comparison["environment_differences"]
    if comparison["trained"] and comparison["weights_identical"] and not other:
        return "the network is the same to the byte, so result.json was changed by hand"
    return likely_cause(other)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def likely_cause(differences: dict[str, Any]) -> str:
    """Which difference of the environment explains different numbers best."""
    for name in ("device", "precision", "threads", "torch", "dlproj", "platform", "python"):
        if name in differences:
            was, now = differences[name]
            return f"{name} was {was}, is {now}"
    return "none in versions, device, precision or threads: another processor, or changed code"

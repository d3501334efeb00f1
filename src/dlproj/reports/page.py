"""One page of finished runs: the report's claims, figures, differences and machines."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlproj.configuration.resolve import as_text
from dlproj.errors import DlprojError
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.html import render_report
from dlproj.output.tables import READERS
from dlproj.output.tables.base import Table
from dlproj.reports import claims
from dlproj.reports.finished import Finished, differences, load_run, runs_at
from dlproj.reports.ranking import rankings
from dlproj.store.runs import write_file
from dlproj.version import __version__

DEMO = "demo.html"  # the page of `dlproj demo`, if it lies beside


def report(paths: Sequence[Path], out: Path, *, force: bool, console: Console) -> None:
    """Write a self-contained page of the runs that are named, or of all under `runs`.

    Runs of a folder that are damaged are left out, and the page says so.

    Args:
        paths: run directories, or folders to search for them.
        out: the file to write.
        force: write over a file that is there.
        console: where to say what was done.

    Raises:
        DlprojError: there is no finished run, one is damaged, or the page cannot be written.
    """
    if out.exists() and not force:
        raise DlprojError(f"--out {out}: exists already; name another file, or add --force")
    runs, left_out = gather(paths or [Path("runs")])
    ranked = rankings(runs)
    found = claims.claims(runs)
    explanations = claims.explanations(runs)
    page = render_report(
        {
            "version": __version__,
            "date": datetime.now(UTC).date().isoformat(),
            "summary": claims.counts(found),
            "claims": found,
            "explanations": explanations,
            "rankings": [ranking.table for ranking in ranked],
            "left_out": left_out,
            "runs": [describe_run(run) for run in runs],
            "differences": setting_tables(runs),
            "machines": machine_table(runs),
            "demo": DEMO if (out.parent / DEMO).exists() else "",
        }
    )
    try:
        write_file(out, page.encode(errors="backslashreplace"))  # names that are not UTF-8
    except OSError as error:
        raise DlprojError(f"--out {out}: cannot be written ({error.strerror})") from None
    result = document(
        "report",
        file=str(out),
        runs=[str(run.path) for run in runs],
        left_out=left_out,
        rankings=[ranking.as_dict for ranking in ranked],
        claims=claims.as_dicts(found),
        explanations=explanations,
    )
    console.result(result, [claims_table(found), *(ranking.table for ranking in ranked)])
    console.note(f"the page of {len(runs)} run{'s' * (len(runs) > 1)} is {out}")
    if left_out:
        raise DlprojError(f"{out}: {len(left_out)} left out: {'; '.join(left_out)}")


def gather(paths: Sequence[Path]) -> tuple[list[Finished], list[str]]:
    """The finished runs at or under the paths, sorted by command as the report's tasks are.

    Returns:
        The runs, and why others of a folder were left out.

    Raises:
        DlprojError: there is none, or one that is named is damaged.
    """
    found: dict[Path, Finished] = {}
    left_out: dict[Path, str] = {}
    for path in paths:
        if not path.is_dir():
            raise DlprojError(f"{path}: no such folder; train something first, or name a run")
        for folder in runs_at(path):
            try:
                found.setdefault(folder.resolve(), load_run(folder))
            except DlprojError as error:
                if folder == path:
                    raise
                left_out[folder.resolve()] = str(error)
    if not found and left_out:
        raise DlprojError("; ".join(left_out.values()))
    if not found:
        raise DlprojError(f"{', '.join(map(str, paths))}: holds no finished run")
    order = list(READERS)
    runs = sorted(found.values(), key=lambda run: order.index(run.command))
    return runs, [*left_out.values()]


def claims_table(found: Sequence[claims.Claim]) -> Table:
    """The verdicts for the terminal: of what was measured."""
    known = [claim for claim in found if claim.measured]
    rows = [[text] for claim in known for text in (_in_short(claim), f"  {claim.measured}", "")]
    rows.append([f"{len(found) - len(known)} not measured: the page names their commands"])
    return Table("What the report says", ("",), rows, numbers=False)


def _in_short(claim: claims.Claim) -> str:
    return f"{claim.verdict}: {claim.claim}"


def describe_run(run: Finished) -> dict[str, Any]:
    """What the page says of a run."""
    return {
        "id": "run-" + "-".join(part for part in run.path.parts if part.isalnum() or "-" in part),
        "path": str(run.path),
        "command": run.command,
        "recipe": run.config.get("recipe", ""),
        "seeds": len(run.seeds),
        "headline": run.headline,
        "seconds": run.result["timing"]["total_seconds"],
        "tables": run.tables,
        "warnings": run.metrics.get("warnings", []),
        "figures": run.pictures,
        "settings": {name: as_text(value) for name, value in run.config.items()},
    }


def setting_tables(runs: Sequence[Finished]) -> list[Table]:
    """What differs between the runs of each command."""
    tables = []
    for command in READERS:
        own = [run for run in runs if run.command == command]
        rows = [[name, *map(as_text, values)] for name, values in differences(own).items()]
        if rows:
            columns = ("setting", *(str(run.path) for run in own))
            tables.append(Table(command, columns, rows, numbers=False))
    return tables


def machine_table(runs: Sequence[Finished]) -> Table:
    """Machines and versions, each with the number of runs made there."""
    seen: dict[tuple[str, ...], int] = {}
    names = list(dict.fromkeys(name for run in runs for name in run.result["environment"]))
    for run in runs:
        key = (
            str(run.result["version"]),
            *(as_text(run.result["environment"].get(name)) for name in names),
        )
        seen[key] = seen.get(key, 0) + 1
    rows = [[str(count), *key] for key, count in seen.items()]
    return Table("Machines", ("runs", "dlproj", *names), rows, numbers=False)

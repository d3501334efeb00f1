"""Every combination of settings, trained, and ranked by what was measured on validation data."""

import csv
import dataclasses
import io
from functools import partial
from typing import Any

from dlproj.configuration.grid import TRAININGS, SweepConfig, plain
from dlproj.errors import DivergedError
from dlproj.experiments import digits, langid, regression
from dlproj.running.context import Context, Experiment, Outcome
from dlproj.running.perform import document_of
from dlproj.running.study import Document, by_seed, remarks_of, resolve_auto, train_all
from dlproj.settings import TrainingConfig
from dlproj.statistics import describe

EXPERIMENTS: dict[str, Experiment] = {
    "train-digits": digits.run,
    "train-regression": regression.run,
    "train-langid": langid.run,
}


def run(config: SweepConfig, context: Context) -> Outcome:
    """Train all cells with all seeds, as ordinary runs within this one, and rank the cells."""
    context.start(config)
    train = EXPERIMENTS[config.experiment]
    singles = {
        name: {f"{name}/{part}": single for part, single in by_seed(cell).items()}
        if config.seeds > 1
        else {name: cell}
        for name, cell in config.cells.items()
    }
    trainings = {name: single for cell in singles.values() for name, single in cell.items()}
    ended = train_all(partial(train_or_diverge, train), trainings, context)
    documents = dict(zip(trainings, ended, strict=True))
    by_cell = {name: [documents[single] for single in cell] for name, cell in singles.items()}
    if config.seeds > 1:
        summarise(train, config, by_cell, context)

    score = TRAININGS[config.experiment].score
    cells = rank(config, score, by_cell)
    metrics = {
        "experiment": config.experiment,
        "score": score,
        "cells": cells,
        "best": best(cells[0], score, by_cell[cells[0]["name"]]),
    }
    context.run.write("cells.csv", as_csv(cells, score).encode())
    if context.session.plots:
        from dlproj.output.figures import sweep as figures  # noqa: PLC0415 - takes a second

        figures.draw(context.run, metrics)
    seconds = sum(document["timing"]["train_seconds"] for document in ended if finished(document))
    return Outcome(metrics, {"train_seconds": seconds}, remarks_of(ended))


def train_or_diverge(train: Experiment, config: TrainingConfig, context: Context) -> Document:
    """One training, without figures; that it diverged is a result as well."""
    session = dataclasses.replace(context.session, plots=False)
    try:
        return document_of(train, config, dataclasses.replace(context, session=session))
    except DivergedError as error:
        return {"diverged": str(error)}


def finished(document: Document) -> bool:
    """Whether a training came to its end."""
    return "metrics" in document


def summarise(
    train: Experiment, config: SweepConfig, by_cell: dict[str, list[Document]], context: Context
) -> None:
    """Leave the cells behind as `--seeds` does: those whose trainings have all come to an end."""
    for name, cell in config.cells.items():
        child = context.run.child(name)
        if all(map(finished, by_cell[name])) and not child.result:
            within = dataclasses.replace(context, run=child)
            document_of(train, resolve_auto(cell, context.machine), within)


def rank(
    config: SweepConfig, score: str, by_cell: dict[str, list[Document]]
) -> list[dict[str, Any]]:
    """The cells, best first; those that diverged with fewer of the seeds come before others."""
    cells = []
    for name, settings in config.cells.items():
        ended = [document for document in by_cell[name] if finished(document)]
        cells.append(
            {
                "name": name,
                "settings": {name: plain(getattr(settings, name)) for name in config.varied},
                "score": describe([one["metrics"][score] for one in ended]) if ended else None,
                "seeds": [document["config"]["seed"] for document in ended],
                "diverged": len(by_cell[name]) - len(ended),
                "seconds": sum(one["timing"]["train_seconds"] for one in ended),
            }
        )
    sign = 1 if falls(score) else -1

    def key(cell: dict[str, Any]) -> tuple[int, float]:
        return cell["diverged"], sign * cell["score"]["mean"] if cell["score"] else 0.0

    return [{"rank": place, **cell} for place, cell in enumerate(sorted(cells, key=key), 1)]


def falls(score: str) -> bool:
    """Whether less of it is better."""
    return score.endswith("loss")


def best(cell: dict[str, Any], score: str, documents: list[Document]) -> dict[str, Any]:
    """The first cell, and what it scores on test data: of the others, that is not looked at."""
    test = "test_loss" if falls(score) else "test_accuracy"
    values = [document["metrics"][test] for document in documents if finished(document)]
    return {"name": cell["name"], test: describe(values) if values else None}


def as_csv(cells: list[dict[str, Any]], score: str) -> str:
    """One line for each cell, best first."""
    rows = [
        {
            "rank": cell["rank"],
            **cell["settings"],
            f"{score}_mean": cell["score"]["mean"] if cell["score"] else "",
            f"{score}_std": cell["score"]["std"] if cell["score"] else "",
            "finished": len(cell["seeds"]),
            "diverged": cell["diverged"],
            "train_seconds": cell["seconds"],
            "folder": cell["name"],
        }
        for cell in cells
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

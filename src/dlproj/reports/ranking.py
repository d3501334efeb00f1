"""Runs of one task, best first, as a class hands them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlproj.output.tables.base import Table
from dlproj.output.text import number, percent
from dlproj.reports.finished import Finished
from dlproj.statistics import describe

MEASURES = {  # what runs are ranked by, and whether more of it is better
    "train-digits": ("test_accuracy", True),
    "train-regression": ("test_loss", False),
    "train-langid": ("test_accuracy", True),
}
DATA = ("dataset", "data", "function")  # settings that name it


@dataclass(frozen=True)
class Place:
    """A run in a ranking. Equal values share a rank."""

    rank: int
    run: Finished
    value: float  # the mean over the seeds


@dataclass(frozen=True)
class Ranking:
    """Runs of one command on the same data, best first."""

    command: str
    data: str  # their name; "" where it is what ships
    measure: str
    places: Sequence[Place]

    @property
    def table(self) -> Table:
        """For people."""
        show = percent if MEASURES[self.command][1] else _loss
        rows = []
        for place in self.places:
            values = [*place.run.by_seed(self.measure).values()]
            spread = show(describe(values)["std"]) if len(values) > 1 else ""
            seconds = place.run.timing["train_seconds"]
            rows.append(
                [
                    f"{place.rank}. {place.run.path}",
                    show(place.value),
                    spread,
                    str(len(values)),
                    number(place.run.metrics["parameters"], ",.0f"),
                    number(seconds["mean"] if isinstance(seconds, dict) else seconds, ",.1f"),
                ]
            )
        where = f" on {self.data}" if self.data else ""
        title = f"Ranking of {self.command}{where}, by {self.measure.replace('_', ' ')}"
        return Table(title, ("run", "mean", "deviation", "seeds", "parameters", "seconds"), rows)

    @property
    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        places = [{"rank": p.rank, "run": str(p.run.path), "value": p.value} for p in self.places]
        return {"command": self.command, "data": self.data, "by": self.measure, "places": places}


def rankings(runs: Sequence[Finished]) -> list[Ranking]:
    """A ranking for each task that two runs or more are of."""
    groups: dict[tuple[str, str], list[Finished]] = {}
    for run in runs:
        if run.command in MEASURES and run.by_seed(MEASURES[run.command][0]):
            groups.setdefault((run.command, _data(run)), []).append(run)
    return [_rank(command, data, own) for (command, data), own in groups.items() if len(own) > 1]


def _rank(command: str, data: str, runs: Sequence[Finished]) -> Ranking:
    measure, rising = MEASURES[command]
    means = [describe([*run.by_seed(measure).values()])["mean"] for run in runs]
    places = []
    ordered = sorted(zip(runs, means, strict=True), key=lambda pair: pair[1], reverse=rising)
    for run, mean in ordered:
        better = sum(other > mean if rising else other < mean for other in means)
        places.append(Place(better + 1, run, mean))
    return Ranking(command, data, measure, places)


def _data(run: Finished) -> str:
    named = [str(run.config[name]) for name in DATA if run.config.get(name)]
    return ", ".join(name for name in named if name != "mnist")


def _loss(value: float) -> str:
    return number(value, ".3g")

"""What `sweep` finds."""

from typing import Annotated, Any, NotRequired

from annotated_types import Len
from typing_extensions import TypedDict

from dlproj.results.base import Summary, TrainingTiming


class SweepCell(TypedDict):
    """A combination of settings, over the seeds."""

    rank: int
    name: str
    settings: dict[str, Any]  # those that vary
    score: Summary | None  # none where every training diverged
    seeds: list[int]  # whose trainings came to an end
    diverged: int
    seconds: float


class Best(TypedDict):
    """The first cell, and what it scores on test data."""

    name: str
    test_accuracy: NotRequired[Summary | None]
    test_loss: NotRequired[Summary | None]


class SweepMetrics(TypedDict):
    """The cells, best first."""

    experiment: str
    score: str  # the metric they are ranked by, measured on validation data
    cells: Annotated[list[SweepCell], Len(1)]
    best: Best


class SweepTiming(TrainingTiming):
    """Seconds."""

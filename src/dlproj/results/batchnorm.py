"""What `ablate-batchnorm` finds."""

from typing import Annotated, Any, NotRequired

from annotated_types import Len
from typing_extensions import TypedDict

from dlproj.results.base import Explanation, Interval, Summary, TrainingTiming


class Arm(Summary):
    """Test accuracies of one arm at one learning rate."""

    diverged: int


# "with" is a word of Python, so the class is written as a call.
Cell = TypedDict(
    "Cell",
    {
        "lr": float,
        "with": Arm,
        "without": Arm,
        "difference": float,
        "ci95": Interval,
        "p_value": float | None,
        "p_adjusted": float | None,  # for the number of rates
        "effect_size": NotRequired[float | None],  # in deviations of the differences
    },
)


class ShortTrainings(TypedDict):
    """An arm at each rate of a wide range."""

    accuracy: list[float]
    dead: list[float]  # share of units
    diverged: list[bool]


Rates = TypedDict(
    "Rates",
    {
        "lr": list[float],
        "trains_from": float,
        "with": ShortTrainings,
        "without": ShortTrainings,
        "noisy": ShortTrainings,
    },
)


class BatchnormDiagnosis(TypedDict):
    """What `--diagnose` measures."""

    lr: float
    seed: int
    seeds: NotRequired[int]
    arms: dict[str, Any]  # drift, gradients and landscape over one training of each arm
    rates: Rates  # these two of the first seed
    by_seed: NotRequired[list[dict[str, Any]]]  # the numbers that the claims are about, by arm
    claims: list[Explanation]


class Norms(TypedDict):
    """What `--norms` measures."""

    lr: float
    seeds: int
    arms: dict[str, Any]  # of each: steps, gap, losses of accuracy, and what ReLUs are given
    claims: list[Explanation]


class BatchnormMetrics(TypedDict):
    """The comparison at each rate."""

    cells: Annotated[list[Cell], Len(1)]
    verdict: str
    diagnosis: NotRequired[BatchnormDiagnosis]
    norms: NotRequired[Norms]


class BatchnormTiming(TrainingTiming):
    """Seconds."""

    diagnose_seconds: NotRequired[float]

"""What the results of several commands have in common."""

from typing import Annotated, NotRequired

from annotated_types import Len
from typing_extensions import TypedDict

Interval = Annotated[list[float], Len(2, 2)]  # its lower and upper end


class Summary(TypedDict):
    """A number over several seeds."""

    mean: float
    std: float  # of the sample
    ci95: Interval  # of the mean
    values: Annotated[list[float], Len(1)]


Scalar = float | Summary


class Timing(TypedDict):
    """Seconds of a whole command."""

    total_seconds: NotRequired[float]  # added when the run is finished


class TrainingTiming(Timing):
    """Seconds of a training."""

    train_seconds: Scalar


class Explanation(TypedDict):
    """An explanation of the report, and what was measured of it."""

    claim: str
    verdict: str  # "supported", "not supported", "mixed" or "undecided"
    evidence: str

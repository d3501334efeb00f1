"""What `attack` finds."""

from typing import Annotated, Any, NotRequired

from annotated_types import Len
from typing_extensions import TypedDict

from dlproj.results.base import Explanation, Timing


class AttackRow(TypedDict):
    """What one epsilon leaves; fractions of the test images in [0, 1]."""

    method: str
    norm: str
    targeted: bool
    epsilon: float
    accuracy: float
    success_rate: float  # of those read rightly before; targeted, of all
    max_perturbation: float
    seconds: float
    broken_by: NotRequired[dict[str, int]]  # of the ensemble: images that each part fooled first


class SmallestChange(TypedDict):
    """How far the images are from being misread, as far as an attack found; a size in `norm`."""

    found: float  # share of all images for which there is any change
    quantiles: list[float | None]  # 5, 25, 50, 75 and 95 % of all images; none beyond `found`


class Transfer(TypedDict):
    """How often images made for one network (rows) fool another (columns)."""

    networks: list[str]
    clean_accuracy: list[float]
    success: list[list[float]]


class AttackDiagnosis(TypedDict):
    """What `--diagnose` measures, on the first images."""

    epsilon: float
    images: int
    accuracy: dict[str, float]  # of clean, noise, adversarial
    spectrum: dict[str, Any]  # energy and mean frequency, by kind of picture
    filters: dict[str, Any]  # accuracies after filters of each radius
    halves: dict[str, Any]  # accuracies with half of the frequencies of the perturbation
    transfer: Transfer
    margins: dict[str, Any]  # quantiles and means, by kind of picture
    likeness: NotRequired[dict[str, float]]  # to the originals, and to other readers
    claims: list[Explanation]


class AttackMetrics(TypedDict):
    """Scores of the attacked network."""

    model: str
    network: str
    data: NotRequired[str]  # the images: a path, or the name of a data set
    images: int
    clean_accuracy: float
    attacks: Annotated[list[AttackRow], Len(1)]
    smallest: NotRequired[SmallestChange]  # of fab, fab-t and deepfool
    warnings: NotRequired[list[str]]
    diagnosis: NotRequired[AttackDiagnosis]


class AttackTiming(Timing):
    """Seconds."""

    attack_seconds: float
    diagnose_seconds: NotRequired[float]

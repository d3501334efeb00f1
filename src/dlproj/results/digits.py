"""What `train-digits` finds."""

from typing import NotRequired

from typing_extensions import TypedDict

from dlproj.results.base import Scalar, TrainingTiming


class Confusion(TypedDict):
    """A class that is taken for another, and how often."""

    label: str
    predicted: str
    count: int


class DigitsMetrics(TypedDict):
    """Scores on the test images; fractions in [0, 1]."""

    test_accuracy: Scalar
    test_loss: Scalar
    parameters: Scalar
    robust_accuracy: NotRequired[Scalar]  # under pgd
    validation_accuracy: NotRequired[Scalar]
    validation_robust_accuracy: NotRequired[Scalar]
    # Of one training, as all that follows; None of a class without test images.
    class_accuracy: NotRequired[dict[str, float | None]]
    worst_confusions: NotRequired[list[Confusion]]
    confusion_matrix: NotRequired[list[list[int]]]  # true classes, predicted classes


class DigitsTiming(TrainingTiming):
    """Seconds, and training images per second."""

    images_per_second: Scalar
    test_seconds: Scalar

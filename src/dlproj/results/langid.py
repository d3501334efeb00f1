"""What `train-langid` finds."""

from typing import NotRequired

from typing_extensions import TypedDict

from dlproj.results.base import Scalar, TrainingTiming


class LengthAccuracy(TypedDict):
    """The words of one length, in letters."""

    length: int
    words: int
    accuracy: float


class CalibrationBin(TypedDict):
    """Words of which the network is about equally sure."""

    weight: float  # their part of all occurrences, or of all words
    confidence: float
    share: float  # of their occurrences, those in the language that it names


class Calibration(TypedDict):
    """How far confidence is from the share that it stands for, on the test words."""

    expected_error: float  # words weighed by their frequency, where that is known
    expected_error_unweighted: float
    bins: list[CalibrationBin]
    bins_unweighted: NotRequired[list[CalibrationBin]]  # older runs lack them


class LangidMetrics(TypedDict):
    """Scores on the test words; fractions in [0, 1]."""

    test_accuracy: Scalar
    test_loss: Scalar
    dev_accuracy: Scalar  # on the validation words
    parameters: Scalar
    # Of one training, as all that follows; None of a language without test words.
    per_language: NotRequired[dict[str, float | None]]
    per_length: NotRequired[list[LengthAccuracy]]
    confusion_matrix: NotRequired[list[list[int]]]  # true languages, predicted languages
    calibration: NotRequired[Calibration]


class LangidTiming(TrainingTiming):
    """Seconds, and training words per second."""

    words_per_second: Scalar
    test_seconds: Scalar

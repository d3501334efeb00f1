"""What `train-regression` finds."""

from typing_extensions import TypedDict

from dlproj.results.base import Scalar, TrainingTiming


class RegressionMetrics(TypedDict):
    """Errors on the test points."""

    test_loss: Scalar  # half the mean squared error, as the course scores
    test_mse: Scalar
    max_abs_error: Scalar
    validation_loss: Scalar
    parameters: Scalar


class RegressionTiming(TrainingTiming):
    """Seconds."""

"""Settings of `train-regression`."""

import dataclasses
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Lt

from dlproj.settings.base import (
    BatchSize,
    Epochs,
    LearningRate,
    Precision,
    Recipe,
    Recipes,
    Schedule,
    Threads,
    TrainingConfig,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegressionConfig(TrainingConfig):
    """Settings of `train-regression`: the report's Task 2."""

    command = "train-regression"
    score = "validation_loss"
    recipes: ClassVar[Recipes] = {
        "standard": {},
        "report": {"lr": 0.05, "schedule": "constant", "beta2": 0.999},
        "best": {"optimizer": "lm", "activation": "tanh", "epochs": 150},
    }

    recipe: Recipe = "standard"
    epochs: Epochs = 100
    batch_size: BatchSize = 128
    lr: LearningRate = 0.02
    schedule: Schedule = "one-cycle"
    beta2: Annotated[float, Ge(0), Lt(1), Doc("Adam's decay of squared gradients.")] = 0.99
    optimizer: Annotated[
        Literal["adam", "lm"],
        Doc("lm is Levenberg-Marquardt on all points at once, in double precision."),
    ] = "adam"
    activation: Annotated[Literal["relu", "tanh"], Doc("Between the layers.")] = "relu"
    function: Annotated[
        Literal["sin", "cos", "sin3x", "abs", "gauss", "sinc", "sawtooth", "square"],
        Doc("What is learnt, on [-2π, 2π]."),
    ] = "sin"
    data: Annotated[Path | None, Doc("CSV file of x,y to fit instead of a function.")] = None
    precision: Precision = "fp32"
    threads: Threads = 1  # more would wait for each other longer than they work

    @property
    def divisible(self) -> bool:
        """Not with steps on all points at once."""
        return self.optimizer != "lm"

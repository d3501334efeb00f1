"""Settings of `train-regression`."""

import dataclasses
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Lt

from dlproj.dialect import Dialect
from dlproj.settings.base import (
    BatchSize,
    Columns,
    Delimiter,
    Encoding,
    Epochs,
    LearningRate,
    Momentum,
    OnlyWith,
    Precision,
    Recipe,
    Recipes,
    Schedule,
    Threads,
    TrainingConfig,
    WeightDecay,
    check_dialect,
)

BY_ADAM = OnlyWith(
    "optimizer", ("adam",)
)  # Levenberg-Marquardt takes all points, and finds its own steps


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
    batch_size: Annotated[BatchSize, BY_ADAM] = 128
    lr: Annotated[LearningRate, BY_ADAM] = 0.02
    momentum: Annotated[Momentum, BY_ADAM] = 0.9
    weight_decay: Annotated[WeightDecay, BY_ADAM] = 0.0
    schedule: Annotated[Schedule, BY_ADAM] = "one-cycle"
    beta2: Annotated[float, Ge(0), Lt(1), BY_ADAM, Doc("Set beta2 of Adam.")] = 0.99
    optimizer: Annotated[
        Literal["adam", "lm"],
        Doc("Choose Adam, or Levenberg-Marquardt (lm), which takes all points at once."),
    ] = "adam"
    activation: Annotated[
        Literal["relu", "tanh"], Doc("Choose the function between the layers.")
    ] = "relu"
    function: Annotated[
        Literal["sin", "cos", "sin3x", "abs", "gauss", "sinc", "sawtooth", "square"],
        OnlyWith("data", (None,)),
        Doc("Choose the curve to learn, on [-2π, 2π]."),
    ] = "sin"
    data: Annotated[
        Path | None, Doc("Fit the points of a table of x and y instead of a function.")
    ] = None
    columns: Columns = None
    delimiter: Delimiter = None
    encoding: Encoding = None
    decimal: Annotated[
        Literal["point", "comma"] | None, Doc("Say what stands before the decimals of --data.")
    ] = None
    precision: Annotated[Precision, BY_ADAM] = "fp32"
    threads: Threads = 1  # more would wait for each other longer than they work

    def __post_init__(self) -> None:
        super().__post_init__()
        check_dialect(self.dialect, self.data)

    @property
    def dialect(self) -> Dialect:
        """How the table of `data` is written."""
        return Dialect(
            columns=self.columns,
            delimiter=self.delimiter,
            encoding=self.encoding,
            decimal=self.decimal,
        )

    @property
    def divisible(self) -> bool:
        """Not with steps on all points at once."""
        return self.optimizer != "lm"

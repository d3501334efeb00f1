"""Settings of `train-langid`."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Le, Lt

from dlproj.dialect import Dialect
from dlproj.settings.base import (
    BatchSize,
    Columns,
    Delimiter,
    Encoding,
    Epochs,
    LabelSmoothing,
    LearningRate,
    OnlyWith,
    Precision,
    Recipe,
    Recipes,
    Schedule,
    TrainingConfig,
    check_dialect,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LangidConfig(TrainingConfig):
    """Settings of `train-langid`: the report's Task 4."""

    command = "train-langid"
    score = "dev_accuracy"
    recipes: ClassVar[Recipes] = {
        "standard": {},
        "report": {
            "epochs": 10,
            "lr": 0.001,
            "schedule": "constant",
            "hidden": 128,
            "batch_size": 64,
            "bidirectional": False,
            "dropout": 0.0,
            "label_smoothing": 0.0,
        },
        "best": {
            "network": "ngrams",
            "epochs": 3,
            "batch_size": 2048,
            "lr": 0.015,
            "hidden": 128,
            "dropout": 0.1,
            "label_smoothing": 0.0,
            "rare_words": True,
        },
    }
    # Forty times the course's words: fewer passes, in larger batches, at a lower rate.
    shipped: ClassVar[Mapping[str, Any]] = {"epochs": 2, "batch_size": 512, "lr": 0.01}

    recipe: Recipe = "standard"
    epochs: Epochs = 10
    batch_size: BatchSize = 128
    lr: LearningRate = 0.02
    schedule: Schedule = "one-cycle"
    label_smoothing: LabelSmoothing = 0.1
    network: Annotated[
        Literal["gru", "ngrams"], Doc("Choose the report's GRU, or a network of letter n-grams.")
    ] = "gru"
    hidden: Annotated[int, Ge(1), Le(4096), Doc("Set the size of the hidden layer.")] = 64
    layers: Annotated[
        int,
        Ge(1),
        Le(8),
        OnlyWith("network", ("gru",)),
        Doc("Put this many GRUs on top of each other."),
    ] = 1
    bidirectional: Annotated[
        bool, OnlyWith("network", ("gru",)), Doc("Let the GRU read each word from both ends.")
    ] = True
    cell: Annotated[
        Literal["gru", "rnn", "lstm"],
        OnlyWith("network", ("gru",)),
        Doc("Take a plain RNN or an LSTM in place of the GRU."),
    ] = "gru"
    embedding: Annotated[
        int,
        Ge(0),
        Le(4096),
        OnlyWith("network", ("gru",)),
        Doc("Learn a vector of this size for each letter; 0 takes one-hot vectors."),
    ] = 0
    readout: Annotated[
        Literal["last", "mean", "max"],
        OnlyWith("network", ("gru",)),
        Doc("Name the language by the last state, or the mean or maximum over the letters."),
    ] = "last"
    longest: Annotated[
        int,
        Ge(1),
        Le(8),
        OnlyWith("network", ("ngrams",)),
        Doc("Use n-grams of up to this many letters."),
    ] = 5
    dropout: Annotated[
        float, Ge(0), Lt(1), Doc("Drop this share of n-grams and of inputs of linear layers.")
    ] = 0.3
    frequency_power: Annotated[
        float, Ge(0), Le(1), Doc("Weigh each word in the loss by its frequency to this power.")
    ] = 0.25
    held_out: Annotated[bool, Doc("Keep the validation and test words out of the training.")] = True
    rare_words: Annotated[
        bool, OnlyWith("data", (None,)), Doc("Train on the rarer words that ship, too.")
    ] = False
    data: Annotated[
        Path | None, Doc("Take words from a table of words and labels, or the course's .npz.")
    ] = None
    columns: Columns = None
    delimiter: Delimiter = None
    encoding: Encoding = None
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_dialect(self.dialect, self.data)

    @property
    def dialect(self) -> Dialect:
        """How the table of `data` is written."""
        return Dialect(columns=self.columns, delimiter=self.delimiter, encoding=self.encoding)

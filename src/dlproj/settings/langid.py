"""Settings of `train-langid`."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Le, Lt

from dlproj.settings.base import (
    BatchSize,
    Epochs,
    LabelSmoothing,
    LearningRate,
    Precision,
    Recipe,
    Recipes,
    Schedule,
    TrainingConfig,
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
            "epochs": 5,
            "batch_size": 512,
            "lr": 0.01,
            "label_smoothing": 0.05,
        },
    }
    # Twenty times the course's words: fewer passes, in larger batches, at a lower rate.
    shipped: ClassVar[Mapping[str, Any]] = {"epochs": 3, "batch_size": 512, "lr": 0.01}

    recipe: Recipe = "standard"
    epochs: Epochs = 10
    batch_size: BatchSize = 128
    lr: LearningRate = 0.02
    schedule: Schedule = "one-cycle"
    label_smoothing: LabelSmoothing = 0.1
    network: Annotated[
        Literal["gru", "ngrams"], Doc("The report's GRU, or a bag of letter n-grams.")
    ] = "gru"
    hidden: Annotated[int, Ge(1), Le(4096), Doc("Size of the GRU's state, or hidden units.")] = 64
    layers: Annotated[int, Ge(1), Le(8), Doc("GRUs on top of each other.")] = 1
    bidirectional: Annotated[bool, Doc("Whether the GRU reads each word from both ends.")] = True
    longest: Annotated[int, Ge(1), Le(8), Doc("Letters of the longest n-gram.")] = 5
    dropout: Annotated[float, Ge(0), Lt(1), Doc("Of n-grams, and of what linear layers see.")] = 0.3
    data: Annotated[
        Path | None, Doc("The course's .npz, or a .csv of word,label, instead of what ships.")
    ] = None
    precision: Precision = "fp32"

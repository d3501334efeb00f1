"""Settings of `ablate-batchnorm`."""

import dataclasses
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_doc import Doc
from annotated_types import Ge, Gt, Le

from dlproj.settings.base import (
    BatchSize,
    Config,
    Epochs,
    Momentum,
    Recipe,
    Recipes,
    Schedule,
    Seeds,
    WeightDecay,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchnormConfig(Config):
    """Settings of `ablate-batchnorm`: the report's Question 1."""

    command = "ablate-batchnorm"
    recipes: ClassVar[Recipes] = {
        "standard": {},
        "report": {"lr": (0.02,), "images": 60_000, "precision": "fp32", "seeds": 5},
        "best": {"images": 60_000, "seeds": 10},
    }

    recipe: Recipe = "standard"
    seeds: Seeds = 5
    epochs: Epochs = 1
    batch_size: BatchSize = 64
    lr: Annotated[
        tuple[Annotated[float, Gt(0), Le(1000)], ...],
        Doc("Learning rates to compare at; may be repeated"),
    ] = (0.005, 0.02, 0.08, 0.3)
    momentum: Momentum = 0.92
    weight_decay: WeightDecay = 0.0
    schedule: Schedule = "constant"
    images: Annotated[int, Ge(100), Le(60_000), Doc("Training images of each run.")] = 20_000
    diagnose: Annotated[
        bool, Doc("Also measure what BatchNorm changes inside the network, layer by layer.")
    ] = False
    data: Annotated[Path | None, Doc("Folder of the four IDX files, raw or .gz.")] = None

    @property
    def trainings(self) -> int:
        """How many trainings it is, which do not depend on each other."""
        return 2 * len(self.lr) * self.seeds

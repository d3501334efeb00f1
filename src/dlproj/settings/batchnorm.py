"""Settings of `ablate-batchnorm`."""

import dataclasses
from typing import Annotated, ClassVar

from annotated_doc import Doc
from annotated_types import Ge, Gt, Le, MinLen

from dlproj.settings.base import (
    BatchSize,
    Config,
    Epochs,
    ImageData,
    Momentum,
    Recipe,
    Recipes,
    Schedule,
    Seeds,
    Transpose,
    WeightDecay,
    check_transpose,
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
        MinLen(1),
        Doc("Compare at this learning rate; repeat it for several."),
    ] = (0.005, 0.02, 0.08, 0.3)
    momentum: Momentum = 0.92
    weight_decay: WeightDecay = 0.0
    schedule: Schedule = "constant"
    images: Annotated[int, Ge(100), Le(60_000), Doc("Train each network on this many images.")] = (
        20_000
    )
    diagnose: Annotated[
        bool, Doc("Also measure what BatchNorm changes inside the network, layer by layer.")
    ] = False
    norms: Annotated[
        bool,
        Doc(
            "Also train with LayerNorm and GroupNorm, and with other scales of inputs and weights."
        ),
    ] = False
    data: ImageData = None
    transpose: Transpose = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_transpose(self.transpose, self.data)

    @property
    def trainings(self) -> int:
        """How many trainings it is, which do not depend on each other."""
        return 2 * len(self.lr) * self.seeds

"""What the settings of every command have in common.

A settings class is a plain frozen dataclass. The annotation of a field holds its range and
description; `dlproj.config` checks them, and `dlproj.flags` makes command-line flags from them.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Gt, Le, Lt

from dlproj.errors import UsageError

Recipes = Mapping[str, Mapping[str, Any]]

Seed = Annotated[int, Ge(0), Lt(2**31), Doc("Seed of everything random.")]
Device = Annotated[str, Doc("auto, cpu, cuda, cuda:N or mps.")]
Precision = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"],
    Doc("auto takes bf16 where the machine is built for it."),
]
Threads = Annotated[int, Ge(0), Le(1024), Doc("CPU threads; 0 takes one per core.")]
Recipe = Annotated[
    Literal["standard", "report", "best"], Doc("A named set of defaults; single flags win over it.")
]
Seeds = Annotated[int, Ge(1), Le(1000), Doc("Repeat with N seeds, from --seed on.")]
Epochs = Annotated[int, Ge(1), Le(1_000_000), Doc("Passes over the training data.")]
BatchSize = Annotated[int, Ge(1), Le(1_000_000), Doc("Examples in one step.")]
LearningRate = Annotated[float, Gt(0), Le(1000), Doc("Highest learning rate of the schedule.")]
Momentum = Annotated[float, Ge(0), Lt(1), Doc("SGD's momentum, Adam's beta1.")]
WeightDecay = Annotated[float, Ge(0), Le(100), Doc("Weight decay of the optimiser.")]
LabelSmoothing = Annotated[
    float, Ge(0), Lt(1), Doc("Share of each target that goes to all classes alike.")
]
Schedule = Annotated[
    Literal["constant", "linear", "cosine", "one-cycle"],
    Doc("Course of the learning rate over the run."),
]


DEVICES = ("auto", "cpu", "cuda", "mps")  # and cuda:0, cuda:1, …


def check_device(device: str) -> None:
    """Whether it names a kind of device.

    Raises:
        UsageError: it does not.
    """
    if device not in DEVICES and not re.fullmatch(r"cuda:\d{1,3}", device):
        raise UsageError(f"--device must be auto, cpu, cuda, cuda:N or mps, not {device!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What every command has."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}
    command: ClassVar[str]
    recipes: ClassVar[Recipes] = {}
    shipped: ClassVar[Mapping[str, Any]] = {}  # what `standard` changes for the data that ship
    robust: ClassVar[Mapping[str, Any]] = {}  # what `standard` changes for `--adversarial`

    seed: Seed = 0
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Threads = 0

    def __post_init__(self) -> None:
        check_device(self.device)

    @property
    def divisible(self) -> bool:
        """Whether several processes can share the work."""
        return False

    @property
    def trainings(self) -> int:
        """How many trainings it is, which do not depend on each other."""
        return 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(Config):
    """What every command that trains has."""

    score: ClassVar[str]  # what settings are chosen by: measured on validation data

    @property
    def divisible(self) -> bool:
        """Whether several processes can share the work."""
        return True

    @property
    def trainings(self) -> int:
        """How many trainings it is, which do not depend on each other."""
        return self.seeds

    recipe: str
    seeds: Seeds = 1
    epochs: Epochs
    batch_size: BatchSize
    lr: LearningRate
    momentum: Momentum = 0.9
    weight_decay: WeightDecay = 0.0
    schedule: Schedule

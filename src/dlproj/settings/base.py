"""What the settings of every command have in common.

A settings class is a plain frozen dataclass. The annotation of a field holds its range and
description; `dlproj.configuration.resolve` checks them, and `dlproj.commandline.flags` makes flags
of them.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Gt, Le, Lt

from dlproj.dialect import Dialect
from dlproj.errors import UsageError

Recipes = Mapping[str, Mapping[str, Any]]

Seed = Annotated[
    int,
    Ge(0),
    Lt(2**31),
    Doc("Set the seed of everything random: first weights, order of examples, dropout."),
]
Device = Annotated[str, Doc("Choose where to compute: auto, cpu, cuda, cuda:N or mps.")]
Precision = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"],
    Doc("Choose the number format; auto takes bf16 where the machine has instructions for it."),
]
Threads = Annotated[int, Ge(0), Le(1024), Doc("Use this many CPU threads; 0 takes one per core.")]
Recipe = Annotated[
    Literal["standard", "report", "best"],
    Doc("Choose a named set of defaults; single flags win over it."),
]
Seeds = Annotated[int, Ge(1), Le(1000), Doc("Repeat with this many seeds, from --seed on.")]
Epochs = Annotated[int, Ge(1), Le(1_000_000), Doc("Pass this many times over the training data.")]
BatchSize = Annotated[int, Ge(1), Le(1_000_000), Doc("Use this many examples in one step.")]
LearningRate = Annotated[
    float, Gt(0), Le(1000), Doc("Set the highest learning rate of the schedule.")
]
Momentum = Annotated[float, Ge(0), Lt(1), Doc("Set the momentum of SGD, or beta1 of Adam.")]
WeightDecay = Annotated[float, Ge(0), Le(100), Doc("Set the weight decay of the optimiser.")]
LabelSmoothing = Annotated[
    float, Ge(0), Lt(1), Doc("Spread this share of each target evenly over all classes.")
]
Columns = Annotated[
    str | None, Doc("Name the two columns of --data, or count them, as in word,label or 2,1.")
]
Delimiter = Annotated[
    str | None, Doc("Say what separates columns of --data: tab, space, comma, semicolon, another.")
]
Encoding = Annotated[str | None, Doc("Say how the text of --data is encoded, as in cp1252.")]
ImageData = Annotated[
    Path | None,
    Doc("Take images from IDX files, an .npz, a .csv, or a folder of pictures a class."),
]
Transpose = Annotated[
    Literal["auto", "yes", "no"],
    Doc("Say whether images of --data lie transposed, as EMNIST's; auto looks at them."),
]
Schedule = Annotated[
    Literal["constant", "linear", "cosine", "one-cycle"],
    Doc("Choose how the learning rate changes during the training."),
]


@dataclasses.dataclass(frozen=True)
class Fraction:
    """In an annotation: numbers that may also be written as a fraction, 8/255."""


@dataclasses.dataclass(frozen=True)
class OnlyWith:
    """In an annotation: what uses this setting; where it is not so, the flag is refused.

    Args:
        setting: the name of another setting.
        values: of that one, with which this one does something.
    """

    setting: str
    values: tuple[Any, ...]


DEVICES = ("auto", "cpu", "cuda", "mps")  # and cuda:0, cuda:1, …


def check_device(device: str) -> None:
    """Whether it names a kind of device.

    Raises:
        UsageError: it does not.
    """
    if device not in DEVICES and not re.fullmatch(r"cuda:\d{1,3}", str(device)):
        raise UsageError(f"--device must be auto, cpu, cuda, cuda:N or mps, not {device!r}")


def check_dialect(dialect: Dialect, data: Path | None) -> None:
    """Whether there is a table of which it is said how it is written.

    Raises:
        UsageError: there is none.
    """
    if data is None and dialect.given:
        raise UsageError(f"{', '.join(dialect.given)} says how --data is written: give that too")


def check_transpose(transpose: str, data: Path | None) -> None:
    """Whether there are images that may lie transposed.

    Raises:
        UsageError: there are none.
    """
    if data is None and transpose != "auto":
        raise UsageError(f"--transpose {transpose} is about the images of --data: give that too")


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

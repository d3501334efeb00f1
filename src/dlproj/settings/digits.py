"""Settings of `train-digits`."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_doc import Doc
from annotated_types import Ge, Le

from dlproj.epsilon import check_epsilon
from dlproj.errors import UsageError
from dlproj.settings.base import (
    BatchSize,
    Epochs,
    Fraction,
    ImageData,
    LabelSmoothing,
    LearningRate,
    Momentum,
    OnlyWith,
    Recipes,
    Schedule,
    TrainingConfig,
    Transpose,
    check_transpose,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DigitsConfig(TrainingConfig):
    """Settings of `train-digits`: the report's Task 1."""

    command = "train-digits"
    score = "validation_accuracy"
    recipes: ClassVar[Recipes] = {
        "standard": {},
        "report": {"schedule": "constant", "precision": "fp32"},
        "fast": {
            "network": "fast",
            "optimizer": "adam",
            "batch_size": 256,
            "lr": 0.05,
            "momentum": 0.85,
            "schedule": "one-cycle",
            "label_smoothing": 0.1,
        },
        "best": {
            "network": "deeper",
            "epochs": 44,  # of which each of its two columns sees half
            "batch_size": 256,
            "lr": 0.2,
            "momentum": 0.9,
            "weight_decay": 2.5e-4,
            "schedule": "one-cycle",
            "label_smoothing": 0.1,
            "distort": 1.0,
        },
        "pictures": {
            "network": "deep",
            "epochs": 12,
            "batch_size": 256,
            "lr": 0.2,
            "momentum": 0.9,
            "weight_decay": 2.5e-4,
            "schedule": "one-cycle",
            "label_smoothing": 0.05,
            "distort": 1.5,
            "pens": True,
        },
    }
    robust: ClassVar[Mapping[str, Any]] = {
        "network": "robust",
        "epochs": 22,
        "batch_size": 128,
        "optimizer": "adam",
        "lr": 0.005,
        "momentum": 0.9,
        "schedule": "one-cycle",
        "distort": 1.0,
    }

    recipe: Annotated[
        Literal["standard", "report", "fast", "best", "pictures"],
        Doc("Choose a named set of defaults; single flags win over it."),
    ] = "standard"

    epochs: Epochs = 1
    batch_size: BatchSize = 64
    lr: LearningRate = 0.02
    momentum: Momentum = 0.92
    schedule: Schedule = "linear"
    network: Annotated[
        Literal["report", "fast", "deep", "deeper", "robust"],
        Doc("Choose the report's network, a faster, two deeper ones, or that of --adversarial."),
    ] = "report"
    optimizer: Annotated[Literal["sgd", "adam", "adamw"], Doc("Choose the optimiser.")] = "sgd"
    batchnorm: Annotated[
        bool,
        OnlyWith("network", ("report", "fast", "deep", "deeper")),
        Doc("Put BatchNorm after each convolution."),
    ] = True
    label_smoothing: LabelSmoothing = 0.0
    distort: Annotated[
        float,
        Ge(0),
        Le(5),
        Doc("Turn, slant, scale and move training images at random; 1 is mild, 0 none."),
    ] = 0.0
    pens: Annotated[
        bool,
        Doc("Draw training images with many pens, and learn to be unsure of other shapes."),
    ] = False
    adversarial: Annotated[bool, Doc("Train on images that the attack PGD has changed.")] = False
    epsilon: Annotated[
        float,
        Ge(0),
        Fraction(),
        OnlyWith("adversarial", (True,)),
        Doc("Let --adversarial change each pixel by at most this much, such as 8/255."),
    ] = 0.3
    steps: Annotated[
        int,
        Ge(1),
        Le(1000),
        OnlyWith("adversarial", (True,)),
        Doc("Let --adversarial change each batch in this many steps of PGD."),
    ] = 3
    dataset: Annotated[
        Literal["mnist", "fashion-mnist", "kmnist", "qmnist", "emnist"],
        Doc("Choose the images; mnist ships, the others are downloaded once."),
    ] = "mnist"
    data: ImageData = None
    transpose: Transpose = "auto"
    validation: Annotated[
        int, Ge(0), Le(1_000_000), Doc("Hold out this many training images; score them each epoch.")
    ] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_epsilon("--epsilon", self.epsilon, "linf")
        if self.data is not None and self.dataset != "mnist":
            raise UsageError("--data and --dataset both name the images: give one of them")
        if self.pens and self.adversarial:
            raise UsageError(
                "--pens, as in --recipe pictures, and --adversarial both change the training "
                "images: give one of them"
            )
        check_transpose(self.transpose, self.data)

    @property
    def divisible(self) -> bool:
        """Not with adversarial images, which each process would make otherwise."""
        return not self.adversarial

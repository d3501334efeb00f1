"""The settings of each command: the one home of every default, range and recipe.

A settings class is a plain frozen dataclass. The annotation of a field holds its range and
description; `dlproj.config` checks them, and `dlproj.options` makes command-line flags from them.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
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
            "batch_size": 160,
            "lr": 0.04,
            "momentum": 0.85,
            "schedule": "one-cycle",
            "label_smoothing": 0.1,
        },
        "best": {
            "network": "deep",
            "epochs": 22,  # of which each of its two columns sees half
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
        "epochs": 10,
        "batch_size": 128,
        "optimizer": "adam",
        "lr": 0.005,
        "momentum": 0.9,
        "schedule": "one-cycle",
    }

    recipe: Annotated[
        Literal["standard", "report", "fast", "best", "pictures"],
        Doc("A named set of defaults; single flags win over it."),
    ] = "standard"

    epochs: Epochs = 1
    batch_size: BatchSize = 64
    lr: LearningRate = 0.02
    momentum: Momentum = 0.92
    schedule: Schedule = "linear"
    network: Annotated[
        Literal["report", "fast", "deep", "robust"],
        Doc("The report's, one with a tenth of its work, a deeper one, or that of --adversarial."),
    ] = "report"
    optimizer: Annotated[Literal["sgd", "adam"], Doc("SGD with momentum, or Adam.")] = "sgd"
    batchnorm: Annotated[
        bool, Doc("BatchNorm after each convolution; the robust network has none.")
    ] = True
    label_smoothing: LabelSmoothing = 0.0
    distort: Annotated[
        float,
        Ge(0),
        Le(5),
        Doc("Turn, slant, scale and move training images at random; 1 is mild."),
    ] = 0.0
    pens: Annotated[
        bool,
        Doc("Train for photos: pens of all widths, and shapes that are no digit to be unsure of."),
    ] = False
    adversarial: Annotated[
        bool, Doc("Train on adversarial images instead, with settings of its own.")
    ] = False
    epsilon: Annotated[
        float, Ge(0), Le(1), Doc("Of --adversarial: the largest change of a pixel (linf).")
    ] = 0.3
    steps: Annotated[int, Ge(1), Le(1000), Doc("Of --adversarial: steps of pgd to each batch.")] = 3
    dataset: Annotated[
        Literal["mnist", "fashion-mnist", "kmnist", "qmnist", "emnist"],
        Doc("mnist ships; the others are downloaded once."),
    ] = "mnist"
    data: Annotated[Path | None, Doc("Folder of the four IDX files, raw or .gz.")] = None
    validation: Annotated[
        int, Ge(0), Le(1_000_000), Doc("Training images held out and scored after each epoch.")
    ] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data is not None and self.dataset != "mnist":
            raise UsageError("--data and --dataset both name the images: give one of them")

    @property
    def divisible(self) -> bool:
        """Not with adversarial images, which each process would make otherwise."""
        return not self.adversarial


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttackConfig(Config):
    """Settings of `attack`: the report's Task 3."""

    command = "attack"

    epsilon: Annotated[
        tuple[Annotated[float, Ge(0), Le(100)], ...],
        Doc("Largest perturbation, in pixel values of [0, 1]; may be repeated"),
    ] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    method: Annotated[
        Literal["fgsm", "bim", "pgd", "mifgsm", "apgd-ce", "apgd-dlr", "square", "ensemble"],
        Doc(
            "fgsm takes one step; square needs no gradient; ensemble takes apgd and square in turn."
        ),
    ] = "fgsm"
    norm: Annotated[Literal["linf", "l2"], Doc("What epsilon measures.")] = "linf"
    steps: Annotated[
        Annotated[int, Ge(1), Le(100_000)] | None,
        Doc("Of an iterated method; if not given 10, and 100 of apgd and ensemble."),
    ] = None
    step_size: Annotated[
        Annotated[float, Gt(0), Le(100)] | None,
        Doc("Of an iterated method; 2.5 epsilon / steps if not given."),
    ] = None
    restarts: Annotated[
        int, Ge(1), Le(1000), Doc("Random starts of pgd, apgd and ensemble; the worst counts.")
    ] = 1
    queries: Annotated[
        int, Ge(1), Le(1_000_000), Doc("Of square and ensemble, looks at each image.")
    ] = 1000
    targeted: Annotated[bool, Doc("Aim at the class after the true one.")] = False
    model: Annotated[
        Path | None,
        Doc("Run directory, .safetensors, or the course's LeNet; by default the newest "
            "train-digits run here, or else the one that ships."),
    ] = None  # fmt: skip
    limit: Annotated[
        Annotated[int, Ge(1)] | None, Doc("Use only so many test images, instead of all.")
    ] = None
    batch_size: BatchSize = 125
    save_images: Annotated[bool, Doc("Keep the adversarial images as .npz.")] = False
    diagnose: Annotated[
        bool, Doc("Also measure why they work: spectra, filters, noise, transfer and margins.")
    ] = False
    data: Annotated[Path | None, Doc("Folder of the four IDX files, raw or .gz.")] = None
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method == "square" and self.norm != "linf":
            raise UsageError("--method square measures --norm linf alone")
        if self.diagnose and (self.targeted or not any(self.epsilon)):
            raise UsageError("--diagnose needs an --epsilon above 0 and no --targeted")


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


DEVICES = ("auto", "cpu", "cuda", "mps")  # and cuda:0, cuda:1, …


def check_device(device: str) -> None:
    """Whether it names a kind of device.

    Raises:
        UsageError: it does not.
    """
    if device not in DEVICES and not re.fullmatch(r"cuda:\d{1,3}", device):
        raise UsageError(f"--device must be auto, cpu, cuda, cuda:N or mps, not {device!r}")

"""Settings of `attack`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from annotated_doc import Doc
from annotated_types import Ge, Gt, Le, MinLen

from dlproj.epsilon import check_epsilon
from dlproj.errors import UsageError
from dlproj.settings.base import (
    BatchSize,
    Config,
    Fraction,
    ImageData,
    OnlyWith,
    Precision,
    Transpose,
    check_transpose,
)

STEPPING = ("bim", "pgd", "mifgsm")  # in steps of one size
CLIMBING = ("apgd-ce", "apgd-dlr", "apgd-t", "ensemble", "autoattack")  # whose steps find their own
NEAREST = ("fab", "fab-t", "deepfool")  # which look for the smallest change


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttackConfig(Config):
    """Settings of `attack`: the report's Task 3."""

    command = "attack"

    epsilon: Annotated[
        tuple[Annotated[float, Ge(0)], ...],
        MinLen(1),
        Fraction(),
        Doc("Set the largest change, in pixel values, such as 8/255; repeat for several."),
    ] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    method: Annotated[
        Literal[
            "fgsm",
            "bim",
            "pgd",
            "mifgsm",
            "apgd-ce",
            "apgd-dlr",
            "apgd-t",
            "fab",
            "fab-t",
            "deepfool",
            "square",
            "ensemble",
            "autoattack",
        ],
        Doc(
            "Choose the attack; ensemble tries apgd and square in turn, autoattack apgd, fab and "
            "square as published."
        ),
    ] = "fgsm"
    norm: Annotated[
        Literal["linf", "l2"],
        Doc("Measure the change by its largest pixel (linf) or its length (l2)."),
    ] = "linf"
    steps: Annotated[
        Annotated[int, Ge(1), Le(100_000)] | None,
        OnlyWith("method", (*STEPPING, *CLIMBING, *NEAREST)),
        Doc("Take this many steps; if not given, as published, or else 10."),
    ] = None
    step_size: Annotated[
        Annotated[float, Gt(0), Le(100)] | None,
        Fraction(),
        OnlyWith("method", STEPPING),
        Doc("Set the size of a step; if not given, 2.5 epsilon / steps."),
    ] = None
    restarts: Annotated[
        int,
        Ge(1),
        Le(1000),
        OnlyWith("method", ("pgd", *CLIMBING, "fab", "fab-t")),
        Doc("Start this often at random; the worst result of each image counts."),
    ] = 1
    queries: Annotated[
        Annotated[int, Ge(1), Le(1_000_000)] | None,
        OnlyWith("method", ("square", "ensemble", "autoattack")),
        Doc(
            "Let square ask the network about each image this often; if not given, 5,000 times in "
            "autoattack, else 1,000."
        ),
    ] = None
    targeted: Annotated[bool, Doc("Aim at one wrong class: the one after the true one.")] = False
    model: Annotated[
        Path | None,
        Doc(
            "Attack the network of a run, a .safetensors or the course's LeNet; by default, of the "
            "newest train-digits run here, or else the one that ships."
        ),
    ] = None
    limit: Annotated[
        Annotated[int, Ge(1)] | None, Doc("Use only this many test images, instead of all.")
    ] = None
    batch_size: BatchSize = 125
    save_images: Annotated[bool, Doc("Keep the adversarial images as an .npz file.")] = False
    diagnose: Annotated[
        bool, Doc("Also measure why the attack works: spectra, filters, noise, transfer, margins.")
    ] = False
    data: ImageData = None
    transpose: Transpose = "auto"
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        super().__post_init__()
        for epsilon in self.epsilon:
            check_epsilon("--epsilon", epsilon, self.norm)
        if self.diagnose and (self.targeted or not any(self.epsilon)):
            raise UsageError("--diagnose needs an --epsilon above 0 and no --targeted")
        check_transpose(self.transpose, self.data)

"""Settings of `attack`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from annotated_doc import Doc
from annotated_types import Ge, Gt, Le

from dlproj.errors import UsageError
from dlproj.settings.base import (
    BatchSize,
    Config,
    Precision,
)


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

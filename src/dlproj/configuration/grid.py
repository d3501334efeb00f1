"""The settings of `sweep`: a command that trains, and values of its settings to combine."""

import dataclasses
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_doc import Doc

from dlproj.configuration.nearest import did_you_mean
from dlproj.configuration.resolve import as_text, flag, resolve, unused
from dlproj.errors import UsageError
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    Config,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
    Seeds,
    TrainingConfig,
)

TRAININGS: dict[str, type[TrainingConfig]] = {
    cls.command: cls for cls in (DigitsConfig, RegressionConfig, LangidConfig)
}
HELD_OUT = 5000  # images to rank by, of a command that holds out none by itself


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepConfig(Config):
    """Settings of `sweep`; those of the command it trains with are in `grid`."""

    command = "sweep"

    experiment: Annotated[
        Literal["train-digits", "train-regression", "train-langid"], Doc("What to train.")
    ]
    grid: Annotated[dict[str, tuple[Any, ...]], Doc("The values of each setting.")]
    seeds: Seeds = 1

    def __post_init__(self) -> None:
        """Check each cell, and keep the values as the command understands them."""
        super().__post_init__()
        grid = dict(self.grid)
        if self.experiment == "train-digits":
            grid.setdefault("validation", (HELD_OUT,))
        object.__setattr__(self, "grid", grid)
        settings = {field.name for field in dataclasses.fields(TRAININGS[self.experiment])}
        for name in grid:
            if name not in settings:
                near = did_you_mean(name, settings)
                raise UsageError(f"{flag(name)}: not a setting of {self.experiment}{near}")
        cells = list(self._resolved())
        for name in self.grid:
            why = [unused(cell, [name]).get(name) for cell in cells]
            if all(why):
                raise UsageError(f"{flag(name)}: nothing uses it {why[0]}")
        for name, values in grid.items():
            meant = list(dict.fromkeys(plain(getattr(cell, name)) for cell in cells))
            if len(meant) < len(values):
                raise UsageError(f"{flag(name)}: names a value twice")
            grid[name] = tuple(meant)
        if any(isinstance(cell, DigitsConfig) and not cell.validation for cell in cells):
            raise UsageError("--validation must be above 0: it is what a sweep ranks by")
        if len(precisions := {cell.precision for cell in cells}) == 1:
            object.__setattr__(self, "precision", precisions.pop())

    def _resolved(self) -> Iterator[TrainingConfig]:
        """The settings of each cell, in the order in which the values were given."""
        shared = {"seed": self.seed, "seeds": self.seeds, "device": self.device}
        shared |= {"threads": self.threads}
        for values in product(*self.grid.values()):
            given = dict(zip(self.grid, values, strict=True))
            yield resolve(TRAININGS[self.experiment], given | shared)

    @property
    def varied(self) -> list[str]:
        """The settings that have several values."""
        return [name for name, values in self.grid.items() if len(values) > 1]

    @property
    def cells(self) -> dict[str, TrainingConfig]:
        """The settings of each cell, by a name that is good for a folder: lr=0.01,batch-size=32."""
        return {
            ",".join(
                f"{flag(name)[2:]}={as_text(getattr(cell, name))}".replace("/", "_")
                for name in self.varied
            )
            or "all": cell
            for cell in self._resolved()
        }

    @property
    def trainings(self) -> int:
        """How many trainings it is, which do not depend on each other."""
        return len(self.cells) * self.seeds


def plain(value: Any) -> Any:
    """A setting as a JSON value."""
    return str(value) if isinstance(value, Path) else value


# The settings of every command that makes a run, in the order of the report.
SETTINGS: dict[str, type[Config]] = {
    cls.command: cls
    for cls in (
        DigitsConfig,
        BatchnormConfig,
        RegressionConfig,
        AttackConfig,
        LangidConfig,
        SweepConfig,
    )
}

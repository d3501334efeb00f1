"""Results for people: of each command its tables, its headline, and its numbers to compare."""

from collections.abc import Sequence
from typing import Any, Protocol

from dlproj.output.tables import attack, batchnorm, digits, langid, regression, sweep
from dlproj.output.tables.base import Table


class Reader(Protocol):
    """A module of this package, for the `metrics` and `timing` of one command."""

    def tables(self, metrics: Any, timing: Any) -> list[Table]:
        """What a reader wants to see of the result."""

    def headline(self, metrics: Any) -> str:
        """The number that matters most."""

    def scalars(self, metrics: Any, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
        """The numbers to compare between runs, by seed."""


READERS: dict[str, Reader] = {
    "train-digits": digits,
    "ablate-batchnorm": batchnorm,
    "train-regression": regression,
    "attack": attack,
    "train-langid": langid,
    "sweep": sweep,
}

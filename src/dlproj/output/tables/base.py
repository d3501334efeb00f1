"""What the tables of several commands have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlproj.results import Explanation


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first column names the row, the others hold numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = True  # or else text, aligned to the left


def by_seed(value: Any, seeds: Sequence[int]) -> dict[int, float]:
    """A number of each seed; none where it is no number."""
    if isinstance(value, dict) and "values" in value:
        return dict(zip(seeds, value["values"], strict=True))
    return {seeds[0]: value} if isinstance(value, int | float) else {}


def explanations_table(claims: Sequence[Explanation]) -> Table:
    """The report's explanations, with what was measured of each."""
    rows = []
    for claim in claims:
        rows += [[f"{claim['verdict']}: {claim['claim']}"], [f"  {claim['evidence']}"], [""]]
    return Table("What the measurements say of the report's explanations", ("",), rows[:-1])

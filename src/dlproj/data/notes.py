"""What a reader of files says of what it read."""

from dataclasses import dataclass, replace

FEW = 10  # examples whose accuracy says little


@dataclass(frozen=True)
class Notes:
    """A summary of what was read, and a remark on each thing that is unusual about it."""

    summary: str = ""
    remarks: tuple[str, ...] = ()

    def with_remarks(self, *more: str) -> "Notes":
        """The same, and further remarks."""
        return replace(self, remarks=(*self.remarks, *more))


NOTHING = Notes()  # to say of what ships


def listed(items: list[str], most: int = 8) -> str:
    """Items in a sentence; of many, the first and how many more there are."""
    more = f", and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 row, 2,400 rows."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def few(tested: int, one: str, score: str, *, enough: int = FEW) -> list[str]:
    """A remark on a score that comes from few examples; none if they are enough.

    Args:
        tested: how many examples.
        one: what an example is.
        score: what is measured on them, such as "an accuracy".
        enough: so many need no remark.
    """
    return [f"{counted(tested, one)}: {score} of so few says little"] if tested < enough else []

"""What a reader of files says of what it read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notes:
    """A summary of what was read, and a remark on each thing that is unusual about it."""

    summary: str = ""
    remarks: tuple[str, ...] = ()


NOTHING = Notes()  # to say of what ships


def listed(items: list[str], most: int = 8) -> str:
    """Items in a sentence; of many, the first and how many more there are."""
    more = f", and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 row, 2,400 rows."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"

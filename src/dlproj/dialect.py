"""How a user's table is written, where that is not left to be found out."""

import dataclasses

from dlproj.errors import UsageError

NAMED = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "space": " ", "bar": "|"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dialect:
    """What is known of a table; None is to be found out.

    Args:
        columns: two columns, by names or by numbers from 1 on, separated by a comma.
        delimiter: what separates columns: one character, or tab, space, comma, semicolon, bar.
        encoding: of the text, by a name that Python knows.
        decimal: "comma" or "point", where numbers with commas could have either.

    Raises:
        UsageError: one of them is not of that form.
    """

    columns: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None

    def __post_init__(self) -> None:
        if self.columns is not None:
            _check_columns(self.columns)
        if self.encoding is not None:
            _check_encoding(self.encoding)
        separator = self.separator
        if separator is not None and (len(separator) != 1 or separator in '"\n\r#'):
            raise UsageError(
                f"--delimiter must be one character, or {', '.join(NAMED)}, not {separator!r}"
            )

    @property
    def separator(self) -> str | None:
        """The character that separates columns."""
        return None if self.delimiter is None else NAMED.get(self.delimiter, self.delimiter)

    @property
    def wanted(self) -> list[str]:
        """The two columns that were named; none, when they were not."""
        return [name.strip() for name in self.columns.split(",")] if self.columns else []

    @property
    def given(self) -> list[str]:
        """The flags that say something."""
        values = dataclasses.asdict(self)
        return [f"--{name}" for name, value in values.items() if value is not None]


AS_FOUND = Dialect()


def _check_columns(columns: str) -> None:
    names = [name.strip() for name in columns.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1] or "0" in names:
        raise UsageError(
            f"--columns must be two names, or two numbers from 1 on, as in 2,1, not {columns!r}"
        )


def _check_encoding(name: str) -> None:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise UsageError(
            f"--encoding must be one that Python knows, as utf-8, utf-16 or cp1252, not {name!r}"
        ) from None

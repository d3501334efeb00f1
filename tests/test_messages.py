"""What is right for a setting, in words, as the help and the documentation say it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_doc import Doc
from annotated_types import Ge, Gt, Le, Lt

from dlproj.configuration.messages import limits


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Annotated[int, Ge(1), Le(8), Doc("…")], "a whole number from 1 to 8"),
        (Annotated[Annotated[int, Ge(1)] | None, Doc("…")], "a whole number of at least 1"),
        (Annotated[float, Ge(0), Lt(1)], "a number of at least 0 and below 1"),
        (
            Annotated[tuple[Annotated[float, Gt(0), Le(9)], ...], Doc("…")],
            "a number above 0 and at most 9",
        ),
        (Annotated[Literal["a", "b", "c"], Doc("…")], "a, b or c"),
        (Annotated[bool, Doc("…")], ""),
        (Annotated[Path | None, Doc("…")], ""),
        (Annotated[str, Doc("…")], ""),
    ],
)
def test_limits_are_said_where_the_type_alone_does_not(hint: Any, words: str) -> None:
    assert limits(hint) == words

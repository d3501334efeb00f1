"""The ranges of settings, in words."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_doc import Doc
from annotated_types import Ge, Gt, Le, Lt

from dlproj.settings.ranges import in_words, values_in_words


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotated[int, Ge(1), Le(1_000_000), Doc("…")], "1 to 1,000,000"),
        (Annotated[int, Ge(0), Lt(10)], "0 to 9"),
        (Annotated[int, Ge(1)], "1 or more"),
        (Annotated[float, Ge(0), Lt(1)], "0 or more, below 1"),
        (Annotated[float, Gt(0), Le(1000)], "above 0, at most 1,000"),
        (Annotated[Annotated[int, Ge(1), Le(8)] | None, Doc("…")], "1 to 8"),
        (Annotated[tuple[Annotated[float, Ge(0), Le(100)], ...], Doc("…")], "0 to 100"),
        (Annotated[Literal["sgd", "adam"], Doc("…")], "sgd or adam"),
        (Annotated[Literal["a", "b", "c"] | None, Doc("…")], "a, b or c"),
        (Annotated[bool, Doc("…")], ""),
        (Annotated[Path | None, Doc("…")], ""),
    ],
)
def test_an_annotation_in_words(annotation: Any, words: str) -> None:
    assert values_in_words(annotation) == words


def test_bounds_without_words_are_an_error() -> None:
    with pytest.raises(TypeError, match="no words"):
        values_in_words(Annotated[float, Lt(1)])


def test_a_single_item_stands_alone() -> None:
    assert in_words(["one"], "and") == "one"

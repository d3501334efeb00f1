"""Numbers and lists in a sentence."""

import pytest

from dlproj.data.notes import counted, listed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0, "row"), "0 rows"),
        ((1, "row"), "1 row"),
        ((2400, "row"), "2,400 rows"),
        ((1, "x has", "x have"), "1 x has"),
        ((2, "x has", "x have"), "2 x have"),
    ],
)
def test_a_number_with_its_noun(given: tuple[int, str], said: str) -> None:
    assert counted(*given) == said


def test_of_many_items_the_first_are_named() -> None:
    assert listed(["a"]) == "a"
    assert listed([*"abcdefgh"]) == "a, b, c, d, e, f, g, h"
    assert listed([*"abcdefghij"]) == "a, b, c, d, e, f, g, h, and 2 more"
    assert listed(["x"] * 5000, 2) == "x, x, and 4,998 more"

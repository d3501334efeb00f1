"""Word lists, of a package `wordfreq` that knows two small languages."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from dlproj.data.word_lists import ListedWord, frequency_table, list_words, zipf_frequencies
from dlproj.errors import UsageError

# Zipf frequencies, which are decimal logarithms of occurrences in 10^9 words.
LISTS = {
    "fi": {"ja": 7.5, "hän": 6.5, "on": 7.0, "a": 7.9, "e-e": 5.0, "x" * 24: 2.0, "x" * 25: 2.0},
    "nb": {"og": 7.6, "ja": 6.6, "on": 6.0, "hund": 1.71, "katt": 1.7, "hän": 1.0},
}
KNOWN = LISTS["fi"].keys() - {"a", "e-e", "x" * 25}


@pytest.fixture(autouse=True)
def _wordfreq(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(
        available_languages=lambda size: dict.fromkeys(LISTS, size),
        get_frequency_dict=lambda code, _: {w: 10 ** (z - 9) for w, z in LISTS[code].items()},
        freq_to_zipf=lambda frequency: np.log10(frequency) + 9,
    )
    monkeypatch.setitem(sys.modules, "wordfreq", fake)


def test_words_have_two_to_twenty_four_letters() -> None:
    found = zipf_frequencies("fi")
    assert found == {word: LISTS["fi"][word] for word in KNOWN}
    assert zipf_frequencies("fi", "jano").keys() == {"ja", "on"}


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="--languages xx: must be among fi, nb"):
        zipf_frequencies("xx")


def test_a_word_belongs_where_it_is_ten_times_as_frequent() -> None:
    """A word that a list lacks may have 0.71 there, so that 1.71 is enough and 1.7 is not.

    Of the words that belong to a language the two most frequent are named.
    """
    assert list_words(["fi", "nb"], least=1.7, most=2) == [
        ListedWord("og", (0.0, 7.6), "nb"),
        ListedWord("ja", (7.5, 6.6), None),  # 0.9 apart
        ListedWord("on", (7.0, 6.0), "fi"),
        ListedWord("hän", (6.5, 1.0), "fi"),
        ListedWord("x" * 24, (2.0, 0.0), None),  # the third of its language
        ListedWord("hund", (0.0, 1.71), "nb"),
        ListedWord("katt", (0.0, 1.7), None),
    ]
    assert "katt" not in [row.word for row in list_words(["fi", "nb"], least=1.71, most=2)]


def test_a_table_holds_the_most_frequent_words_of_each_language() -> None:
    table = frequency_table(["fi", "nb"], most=3)
    assert (table.words, table.languages) == (["og", "ja", "on", "hän"], ["fi", "nb"])
    expected = [[0.0, 10**7.6], [10**7.5, 10**6.6], [10.0**7, 10.0**6], [10**6.5, 10.0]]
    np.testing.assert_allclose(table.frequencies, expected)

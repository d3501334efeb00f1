"""Language models by counting: those of the textbook, however they are split over n-grams."""

import math
from collections import defaultdict

import pytest
import torch

from dlproj.models import langid
from dlproj.models.counting import DISCOUNT
from dlproj.models.langid import NgramBag

LETTERS = 3
FIRST, LAST = LETTERS + 1, LETTERS + 2
WORDS = [([0, 1], 0), ([0, 1, 1], 0), ([1, 2], 1), ([2, 2, 0], 1), ([0, 1], 1), ([0], 0)]
Counts = dict[tuple[int, ...], dict[int, int]]


def counted_by_hand(label: int, longest: int) -> Counts:
    """What followed each context of less than `longest` letters, in words of one class."""
    counts: Counts = defaultdict(lambda: defaultdict(int))
    for word, owner in WORDS:
        edged = (FIRST, *(letter + 1 for letter in word), LAST)
        for end in range(len(edged) if owner == label else 0):
            for start in range(max(0, end - longest + 1), end + 1):
                counts[edged[start:end]][edged[end]] += 1
    return counts


def probability(counts: Counts, context: tuple[int, ...], letter: int) -> float:
    """Absolute discounting, interpolated with the shorter context."""
    shorter = probability(counts, context[1:], letter) if context else 1 / (LETTERS + 3)
    total = sum(counts[context].values())
    if not total:
        return shorter
    kept = max(counts[context].get(letter, 0) - DISCOUNT, 0)
    return (kept + DISCOUNT * len(counts[context]) * shorter) / total


def made(longest: int) -> NgramBag:
    torch.manual_seed(0)
    model = NgramBag(letters=LETTERS, classes=2, longest=longest, buckets=2**10).eval()
    model.count((torch.tensor([word]), torch.tensor([label])) for word, label in WORDS)
    return model


@pytest.mark.parametrize("longest", [1, 2, 3, 5])
@pytest.mark.parametrize("word", [[0, 1], [0], [2, 1, 0], [2, 2, 0, 1, 1]])
def test_the_models_are_those_of_the_textbook(longest: int, word: list[int]) -> None:
    edged = (FIRST, *(letter + 1 for letter in word), LAST)
    expected = [
        sum(
            math.log(probability(counts, edged[max(0, end - longest + 1) : end], edged[end]))
            for end in range(len(edged))
        )
        for counts in (counted_by_hand(label, longest) for label in (0, 1))
    ]
    model = made(longest)
    given = model.counted(langid.mix(model.spell(torch.tensor([word])))).log_softmax(1)
    torch.testing.assert_close(given[0], torch.tensor(expected).log_softmax(0))


def test_what_is_learnt_and_what_is_counted_are_averaged() -> None:
    model, words = made(3), torch.tensor([[0, 1], [2, 2]])
    mixed = langid.mix(model.spell(words))
    learnt, counted = model.learnt(mixed).softmax(1), model.counted(mixed).softmax(1)
    torch.testing.assert_close(
        model(words).softmax(1),
        (learnt**0.75 * counted**0.25) / (learnt**0.75 * counted**0.25).sum(1, keepdim=True),
    )
    assert torch.equal(model.train().log_odds, made(3).log_odds)


def test_an_unknown_ngram_in_a_taken_slot_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(langid, "SLOTS", 1)  # one n-gram has it: the one that says the most
    model = made(2)
    assert len(model.log_odds) == 2
    alone = (model.log_odds[0] != 0).all()
    assert alone
    said = [
        model.counted(langid.mix(model.spell(torch.tensor([[letter]])))) for letter in (0, 1, 2)
    ]
    assert {bool(odds.any()) for odds in said} == {False, True}

"""Language models by counting: those of the textbook, however they are split over n-grams."""

import math
from collections import Counter, defaultdict
from typing import Any

import pytest
import torch

from dlproj.data.words import encode
from dlproj.models import ngrams
from dlproj.models.counting import count_grams
from dlproj.models.files import LANGID, load_model
from dlproj.models.ngrams import NgramBag

DISCOUNT = 0.8
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


def made(longest: int, slots: int = 2**12) -> NgramBag:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"longest": longest, "buckets": 2**10, "slots": slots}
    model = NgramBag(letters=LETTERS, classes=2, **sizes).eval()
    model.count((torch.tensor([word]), torch.tensor([label])) for word, label in WORDS)
    return model


def grams_in_bags(model: NgramBag, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return ngrams.mix(model.spell(words)), model.bags(words)


def test_the_discount_and_the_backoff_worked_out_by_hand() -> None:
    """The only words are "a" of one class and "aa" of the other, between edges ^ and $.

    Of four letters (a, ^, $ and the unknown one), 0.8 is taken from each count and shared evenly:
    of ^a$ each letter has (1 - 0.8) / 3 + 0.8 * 3 / 3 / 4 = 4/15; of ^aa$ the edges have
    (1 - 0.8) / 4 + 0.8 * 3 / 4 / 4 = 1/5 and a has 2/4 - 0.2 + 0.15 = 9/20. Behind ^ there was
    one a in either class: 0.2 + 0.8 of what the shorter model says. Behind a there was one $ in
    one class; in the other one a and one $, so 0.1 and 0.8 of the shorter.
    """
    unknown, a, first, last = range(4)
    words = [
        ([[first, a, last], [first * 4 + a, a * 4 + last]], 0),
        ([[first, a, a, last], [first * 4 + a, a * 4 + a, a * 4 + last]], 1),
    ]
    letters, pairs = count_grams(
        (
            ([torch.tensor([grams]) for grams in word], torch.tensor([label]))
            for word, label in words
        ),
        base=4,
        classes=2,
    )
    assert letters.codes.tolist() == [a, first, last]
    assert letters.times.tolist() == [3, 2, 2]
    assert pairs.codes.tolist() == [a * 4 + a, a * 4 + last, first * 4 + a]
    assert pairs.times.tolist() == [1, 2, 2]
    one, two = {a: 4 / 15, first: 4 / 15, last: 4 / 15}, {a: 9 / 20, first: 1 / 5, last: 1 / 5}

    def lead(ratio: float) -> list[float]:
        """The log-likelihoods of the classes less their mean, of a ratio of their likelihoods."""
        return [math.log(ratio) / 2, -math.log(ratio) / 2]

    # The letter a also stands for the share that is left behind it, 0.8 in both classes.
    assert letters.values.tolist() == [
        pytest.approx(lead(one[letter] / two[letter])) for letter in (a, first, last)
    ]
    behind_first = (1 + 4 * one[a]) / (4 * one[a]) / ((1 + 4 * two[a]) / (4 * two[a]))
    a_last = (1 + 4 * one[last]) / (4 * one[last]) / ((1 + 8 * two[last]) / (8 * two[last]))
    a_a = 1 / ((1 + 8 * two[a]) / (8 * two[a]))  # after "a" the first class saw no a
    assert pairs.values.tolist() == [
        pytest.approx(lead(ratio)) for ratio in (a_a, a_last, behind_first)
    ]
    assert unknown not in letters.codes


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
    given = model.counted(*grams_in_bags(model, torch.tensor([word]))).log_softmax(1)
    torch.testing.assert_close(given[0], torch.tensor(expected).log_softmax(0))


def test_a_class_without_words_takes_all_letters_for_alike() -> None:
    """Three letters, of which the only word "ab" has two: (1 - 0.8) / 2 + 0.8 / 3 each."""
    word = [torch.tensor([[0, 1]])]
    (letters,) = count_grams([(word, torch.tensor([0]))], base=3, classes=2)
    half = math.log((0.1 + 0.8 / 3) / (1 / 3)) / 2
    assert letters.values.tolist() == [pytest.approx([half, -half])] * 2


def test_what_is_learnt_and_what_is_counted_are_averaged() -> None:
    model, words = made(3), torch.tensor([[0, 1], [2, 2]])
    grams = grams_in_bags(model, words)
    learnt, counted = model.learnt(*grams).softmax(1), model.counted(*grams).softmax(1)
    torch.testing.assert_close(
        model(words).softmax(1),
        (learnt**0.75 * counted**0.25) / (learnt**0.75 * counted**0.25).sum(1, keepdim=True),
    )
    assert torch.equal(model.train().log_odds, made(3).log_odds)


def test_a_padded_word_is_read_as_it_is_alone() -> None:
    model, padded = made(3), torch.tensor([[0, 1, 1, 2], [2, 1, -1, -1], [-1, 0, -1, -1]])
    alone = [model(padded[:1]), model(padded[1:2, :2]), model(padded[2:, :2])]
    torch.testing.assert_close(model(padded), torch.cat(alone))


def test_dropped_ngrams_are_left_out_of_the_sum() -> None:
    model, word = made(2).train(), torch.tensor([[0, 1]])
    model.classify.eval()
    model.drop_grams.p = 1.0
    torch.testing.assert_close(model(word), model.classify(torch.zeros(1, 16)))
    model.drop_grams.p = 0.0
    every = model.learnt(*grams_in_bags(model, word))
    torch.testing.assert_close(every, model.eval().learnt(*grams_in_bags(model, word)))
    assert not torch.equal(every, model.classify(torch.zeros(1, 16)))


def test_an_unknown_ngram_in_a_taken_slot_says_nothing() -> None:
    model = made(2, slots=1)  # one n-gram has it: the one that says the most
    assert len(model.log_odds) == 2
    alone = (model.log_odds[0] != 0).all()
    assert alone
    said = [model.counted(*grams_in_bags(model, torch.tensor([[letter]]))) for letter in (0, 1, 2)]
    assert {bool(odds.any()) for odds in said} == {False, True}


def test_a_taken_slot_is_of_the_ngram_that_moves_a_language_the_most() -> None:
    """Each time that it comes. Single letters, their logarithms centred, of three languages."""
    words = [([2, 1], 0), ([0, 0], 0), ([0, 1, 2], 1), ([2, 0], 1), ([2, 2], 2), ([0, 2, 1], 2)]
    model = NgramBag(letters=LETTERS, classes=3, longest=1, buckets=2**10, slots=1).eval()
    model.count((torch.tensor([word]), torch.tensor([label])) for word, label in words)
    counts = [Counter({LAST: sum(label == k for _, label in words)}) for k in range(3)]
    for word, label in words:
        counts[label].update([FIRST, *(letter + 1 for letter in word)])
    says = []
    for letter in range(1, LETTERS + 3):
        tables = [{(): each} for each in counts]
        logs = [math.log(probability(table, (), letter)) for table in tables]  # type: ignore[arg-type]
        moves = [value - sum(logs) / 3 for value in logs]
        says.append((sum(each[letter] for each in counts) * max(map(abs, moves)), moves))
    assert model.log_odds[0].tolist() == pytest.approx(max(says)[1], abs=1e-6)


@pytest.mark.parametrize(("letters", "most"), [(1021, 6), (1146, 5)])
def test_ngrams_are_counted_up_to_a_number_of_sixty_bits(letters: int, most: int) -> None:
    """With the unknown letter and the edges, 1024 are ten bits each; of 1149, six are 61."""

    def odds(longest: int) -> torch.Tensor:
        torch.manual_seed(0)
        sizes: dict[str, Any] = {"longest": longest, "buckets": 2**10, "slots": 2**12}
        model = NgramBag(letters=letters, classes=2, **sizes)
        model.count((torch.arange(k, k + 9).view(1, 9), torch.tensor([k])) for k in (0, 1))
        return model.log_odds

    assert torch.equal(odds(most), odds(8))
    assert not torch.equal(odds(most), odds(most - 1))


def test_what_ships_knows_frequent_words() -> None:
    """Most by heart; a word that the network reads well may have lost its slot to another."""
    model, about = load_model(LANGID)
    assert isinstance(model, NgramBag)
    asked = "hello were been here them into also two het een niet jest nie que los para olla mutta"
    owners = ["English"] * 8 + ["Dutch"] * 3 + ["Polish"] * 2 + ["Spanish"] * 3 + ["Finnish"] * 2
    letters, _ = encode(asked.split(), about["alphabet"])
    assert [about["labels"][index] for index in model(letters).argmax(1)] == owners
    slots, marks = model.places(model.with_edges(letters))
    known = model.known_marks[slots] == marks
    assert known.double().mean() > 0.8

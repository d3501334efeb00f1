"""Letter n-gram language models, which are trained by counting."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

DISCOUNT = 0.8  # taken from each count, for what was not seen


@dataclass
class Counted:
    """The different n-grams of one n.

    Attributes:
        codes: the n-grams as numbers (n-grams,), in order.
        times: how often each occurred (n-grams,).
        values: what each says of the classes (n-grams, classes), less the mean.
    """

    codes: Tensor
    times: Tensor
    values: Tensor


def count_grams(
    batches: Iterable[tuple[list[Tensor], Tensor]], *, base: int, classes: int
) -> list[Counted]:
    """What each n-gram of a word says of its class; summed over a word, its log-likelihoods.

    One language model for each class: absolute discounting, interpolated (Ney, Essen & Kneser
    1994). Its logarithms are split over the n-grams such that the longest that is known counts in
    full: each adds what it is more likely than by its suffix, and, as the context of the next
    letter, the share that is left for letters not seen after it.

    Args:
        batches: words, as their n-grams (batch, n-grams) for each n from 1 on, in numbers to
            `base`; and their classes (batch,).
        base: how many letters there are.
        classes: how many classes there are.

    Returns:
        for each n, the different n-grams.
    """
    # An n-gram is a context of n-1 letters and a letter. In a language where it came `c` times, its
    # context `total` times with `kinds` different letters, and with discount D,
    #     p(letter | context) = max(c - D, 0) / total + D · kinds / total · p(letter | shorter),
    # where `shorter` is the context without its first letter. N-grams are numbers to `base`: they
    # lose the last letter by a division, and the first by a remainder.
    tables: list[Counted] = []
    # Below one letter there is a single n-gram, of none, after which all letters are as likely.
    known, likely = torch.zeros(1, dtype=torch.long), torch.full((1, classes), 1 / base).double()
    for number, occurred in enumerate(_occurrences(batches)):
        found, counts = _count(*occurred, classes)
        contexts, place = (found // base).unique(return_inverse=True)
        total = torch.zeros(len(contexts), classes).double().index_add_(0, place, counts)
        kinds = torch.zeros_like(total).index_add_(0, place, counts.sign())
        # Nothing is known after a context that a language does not have: all is left to `shorter`.
        left = torch.where(total > 0, DISCOUNT * kinds / total, 1.0)
        shorter = likely[torch.searchsorted(known, found % base**number)]
        backed_off = left[place] * shorter
        likely = (counts - DISCOUNT).clamp(min=0) / total[place].clamp(min=1) + backed_off
        values = likely.log()
        if number:
            # The suffix is among the n-grams of the word too, and has counted already.
            values -= backed_off.log()
            tables[-1].values[torch.searchsorted(known, contexts)] += left.log()
        tables.append(Counted(found, counts.sum(1), values))
        known = found
    # What is the same for all classes tells nothing of the class.
    for table in tables:
        table.values -= table.values.mean(1, keepdim=True)
    return tables


def _occurrences(
    batches: Iterable[tuple[list[Tensor], Tensor]],
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each n, all n-grams that occur, and the class of each; those given are forgotten."""
    pairs: list[list[tuple[Tensor, Tensor]]] = []
    for grams, wide in batches:
        labels = wide.short()  # as there are many: one for each n-gram
        pairs += [[] for _ in range(len(grams) - len(pairs))]
        for codes, found in zip(grams, pairs, strict=False):
            found.append((codes.flatten(), labels[:, None].expand_as(codes).flatten()))
    while pairs:
        found = pairs.pop(0)
        yield torch.cat([codes for codes, _ in found]), torch.cat([owners for _, owners in found])


def _count(codes: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The different codes, in order, and how often each came with each class (codes, classes)."""
    found, place = codes.unique(return_inverse=True)
    counts = torch.bincount(place * classes + labels, minlength=len(found) * classes)
    return found, counts.view(-1, classes).double()

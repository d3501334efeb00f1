"""How far the confidence of a network can be trusted."""

from typing import Any

import torch
from torch import Tensor

BINS = 10
TEMPERATURES = torch.logspace(-1, 1, 201).tolist()


def calibration(logits: Tensor, shares: Tensor, frequency: Tensor | None) -> dict[str, Any]:
    """Confidence beside the share that it stands for (Guo et al. 2017), for words with shares.

    Where a word belongs to several languages, the answer is right for the share of its occurrences
    that are in the language named.

    Args:
        logits: of words that the network has not seen (words, classes).
        shares: the languages' shares of each word (words, classes).
        frequency: of each word (words,); without, all weigh the same.

    Returns:
        `expected_error`: mean difference between confidence and share over the bins, words weighed
        by frequency; `expected_error_unweighted`: all words alike; `bins` and `bins_unweighted`:
        ten of equal width, each with its part of all `weight`, mean `confidence` and `share`.
    """
    confidence, named = logits.double().softmax(1).max(1)
    share = shares.double().gather(1, named.unsqueeze(1))[:, 0]
    even = torch.ones_like(confidence)
    weighted = _bins(confidence, share, even if frequency is None else frequency.double())
    alike = _bins(confidence, share, even)
    return {
        "expected_error": _expected_error(weighted),
        "expected_error_unweighted": _expected_error(alike),
        "bins": weighted,
        "bins_unweighted": alike,
    }


def best_temperature(logits: Tensor, shares: Tensor, frequency: Tensor | None) -> float:
    """What to divide the logits of words by, so that their confidence can be trusted most.

    Args:
        logits: of words that the network has not seen (words, classes).
        shares: the languages' shares of each word (words, classes).
        frequency: of each word (words,), whose square root weighs it here, so that neither the few
            most frequent words nor the many rare ones decide alone.

    Returns:
        of 201 temperatures in [0.1, 10], the one with the least expected error.
    """
    weight = None if frequency is None else frequency.sqrt()
    # The error jumps as words change bins, so that no gradient leads to its least: all are tried.
    errors = [calibration(logits / each, shares, weight)["expected_error"] for each in TEMPERATURES]
    return TEMPERATURES[errors.index(min(errors))]


def _bins(confidence: Tensor, share: Tensor, weight: Tensor) -> list[dict[str, float]]:
    # A confidence of exactly 1 belongs to the last bin.
    place = (confidence * BINS).long().clamp(max=BINS - 1)
    sums = [
        torch.zeros(BINS, dtype=torch.float64, device=place.device).index_add_(0, place, values)
        for values in (weight, weight * confidence, weight * share)
    ]
    total = weight.sum().item()
    rows = zip(*(each.tolist() for each in sums), strict=True)
    return [
        {"weight": heavy / total, "confidence": sure / heavy, "share": true / heavy}
        for heavy, sure, true in rows
        if heavy
    ]


def _expected_error(bins: list[dict[str, float]]) -> float:
    return sum(row["weight"] * abs(row["confidence"] - row["share"]) for row in bins)

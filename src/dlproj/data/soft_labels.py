"""Soft labels of words: how frequent each is in every language, relative to the others."""

import numpy as np
from numpy.typing import NDArray

TEN_TIMES = 10 * (1 - 1e-6)  # of frequencies that are rounded


def shares(frequencies: NDArray[np.float64]) -> NDArray[np.float32]:
    """Relative frequencies (words, languages) of frequencies (words, languages); rows sum to 1.

    A frequency of 0 means that the language's list lacks the word. Most such words do not occur
    there at all, so they are given a tenth of the smallest frequency that is listed.
    """
    filled = np.where(frequencies > 0, frequencies, frequencies[frequencies > 0].min() / 10)
    return (filled / filled.sum(1, keepdims=True)).astype(np.float32)


def of_one_language(frequencies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which words (words,) are ten times as frequent in one language as in each of the others.

    Here a word that a list lacks may be as frequent as half the smallest frequency.
    """
    listed_least = frequencies[frequencies > 0].min() / 2
    ordered = np.sort(np.maximum(frequencies, listed_least), axis=1)
    return ordered[:, -1] >= TEN_TIMES * ordered[:, -2]

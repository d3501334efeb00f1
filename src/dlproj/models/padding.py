"""How long padded words are."""

import torch
from torch import Tensor


def word_lengths(words: Tensor) -> Tensor:
    """Letters (batch,) of padded words (batch, length) up to the last known one, and at least 1."""
    places = torch.arange(1, words.shape[1] + 1, device=words.device)
    return ((words >= 0) * places).amax(1).clamp(min=1)


def is_padded(words: Tensor) -> bool:
    """Whether any of the words (batch, length) ends with a letter that is not known."""
    return bool((words[:, -1] < 0).any())

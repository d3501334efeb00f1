"""Networks that name the language of a word."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CharGRU(nn.Module):
    """Letters to a GRU (Cho et al. 2014), its last state to a linear layer (the report's Task 4).

    Letters are one-hot vectors, as in the report; a letter outside the alphabet is all zeros.

    Args:
        letters: size of the alphabet.
        classes: number of languages.
        hidden: size of the GRU's state in each direction.
        layers: GRUs on top of each other.
        bidirectional: read each word from both ends, and take the last state of each.
        dropout: of the states that the linear layer (and a further GRU) sees.
    """

    def __init__(
        self,
        *,
        letters: int = 47,
        classes: int = 5,
        hidden: int = 128,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.arguments = {
            "letters": letters,
            "classes": classes,
            "hidden": hidden,
            "layers": layers,
            "bidirectional": bidirectional,
            "dropout": dropout,
        }
        self.letters = letters
        self.gru = nn.GRU(
            letters,
            hidden,
            num_layers=layers,
            bidirectional=bidirectional,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden * (1 + bidirectional), classes)

    def forward(self, words: Tensor) -> Tensor:
        """Words (batch, length) of letter indices, -1 if unknown, to logits (batch, classes)."""
        # Index 0 of one more letter than there are takes the unknown ones, and is left out.
        one_hot = F.one_hot(words.T.long() + 1, self.letters + 1)[
            ..., 1:
        ]  # (length, batch, letters)
        _, states = self.gru(one_hot.float())  # (layers * directions, batch, hidden)
        last = states[-2:] if self.gru.bidirectional else states[-1:]
        return self.output(self.dropout(torch.cat(list(last), dim=1)))

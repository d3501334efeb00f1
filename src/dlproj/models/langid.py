"""Networks that name the language of a word."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FIBONACCI = 0x9E3779B97F4A7C15 - 2**64  # 2^64 over the golden ratio, odd, as a signed integer


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


class NgramBag(nn.Module):
    """The sum of one vector for each letter n-gram, to a small network (Joulin et al. 2017).

    N-grams of 1 to `longest` letters, the edges of the word among them, share `buckets` vectors
    by a hash, so that the table stays small whatever the languages.

    Args:
        letters: size of the alphabet.
        classes: number of languages.
        longest: letters of the longest n-gram; at most 8.
        buckets: vectors in the table; a power of two.
        width: size of a vector.
        hidden: units between the vectors' sum and the languages.
        dropout: of n-grams, and of the units.
    """

    def __init__(
        self,
        *,
        letters: int = 47,
        classes: int = 5,
        longest: int = 5,
        buckets: int = 2**17,
        width: int = 16,
        hidden: int = 64,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.arguments = {
            "letters": letters,
            "classes": classes,
            "longest": longest,
            "buckets": buckets,
            "width": width,
            "hidden": hidden,
            "dropout": dropout,
        }
        self.letters, self.longest, self.buckets = letters, longest, buckets
        self.table = nn.EmbeddingBag(buckets + 1, width, mode="sum", padding_idx=buckets)
        nn.init.normal_(self.table.weight[:-1], std=0.1)
        self.drop_grams = nn.Dropout(dropout)
        self.classify = nn.Sequential(
            nn.LayerNorm(width),
            nn.Dropout(dropout),
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )

    def forward(self, words: Tensor) -> Tensor:
        """Words (batch, length) of letter indices, -1 if unknown, to logits (batch, classes)."""
        grams = self.hash_grams(words)
        if self.training:
            dropped = self.drop_grams(torch.ones(grams.shape, device=grams.device)) == 0
            grams = grams.masked_fill(dropped, self.buckets)
        if torch.compiler.is_exporting():  # ONNX's EmbeddingBag miscounts words below `longest`
            return self.classify(F.embedding(grams, self.table.weight).sum(1))
        return self.classify(self.table(grams))

    def hash_grams(self, words: Tensor) -> Tensor:
        """The buckets (batch, grams) of the n-grams of words (batch, length)."""
        edge = self.letters + 1
        letters = F.pad(words.long() + 1, (1, 1), value=edge)  # 0 is an unknown letter
        codes, grams = torch.zeros_like(letters), []
        for n in range(1, min(self.longest, letters.shape[1]) + 1):
            codes = codes[:, : letters.shape[1] - n + 1] * (edge + 1) + letters[:, n - 1 :]
            grams.append(codes * 8 + n - 1)
        # Fibonacci hashing (Knuth, volume 3, section 6.4): the highest bits of a product mod 2^64.
        mixed = torch.cat(grams, dim=1) * FIBONACCI
        return (mixed >> (64 - self.buckets.bit_length() + 1)) & (self.buckets - 1)

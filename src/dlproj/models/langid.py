"""A recurrent network that names the language of a word."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from dlproj.models.padding import is_padded, word_lengths

CELLS: dict[str, type[nn.GRU | nn.RNN | nn.LSTM]] = {"gru": nn.GRU, "rnn": nn.RNN, "lstm": nn.LSTM}


class CharGRU(nn.Module):
    """Letters to a GRU (Cho et al. 2014), its last state to a linear layer (the report's Task 4).

    Letters are one-hot vectors, as in the report; a letter outside the alphabet is all zeros, and
    at the end of a word it is padding.

    Args:
        letters: size of the alphabet.
        classes: number of languages.
        hidden: size of the GRU's state in each direction.
        layers: GRUs on top of each other.
        bidirectional: read each word from both ends, and take the last state of each.
        dropout: of the states that the linear layer (and a further GRU) sees.
        cell: "gru", or in its place a plain "rnn" (Elman 1990, with tanh) or an "lstm" (Hochreiter
            & Schmidhuber 1997).
        embedding: numbers of a learnt vector for each letter; 0 for one-hot vectors.
        readout: what the linear layer sees of the states: the "last", or the "mean" or "max" of
            each unit over the letters of the word.
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
        cell: str = "gru",
        embedding: int = 0,
        readout: str = "last",
    ) -> None:
        super().__init__()
        variation: dict[str, object] = {"cell": cell, "embedding": embedding, "readout": readout}
        self.variation = {
            name: value for name, value in variation.items() if value not in {"gru", 0, "last"}
        }
        self.arguments: dict[str, object] = {
            "letters": letters,
            "classes": classes,
            "hidden": hidden,
            "layers": layers,
            "bidirectional": bidirectional,
            "dropout": dropout,
            **self.variation,  # the report's network has none, and its files stay as they were
        }
        self.letters, self.cell, self.readout = letters, cell, readout
        self.embedding = nn.Embedding(letters + 1, embedding, padding_idx=0) if embedding else None
        recurrent = CELLS[cell](
            embedding or letters,
            hidden,
            num_layers=layers,
            bidirectional=bidirectional,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.add_module(cell, recurrent)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden * (1 + bidirectional), classes)

    @property
    def recurrent(self) -> nn.RNNBase:
        """The GRU, or what stands in its place."""
        return self.get_submodule(self.cell)  # type: ignore[return-value]

    def forward(self, words: Tensor) -> Tensor:
        """Words (batch, length) of letter indices, -1 if unknown, to logits (batch, classes).

        Words may be padded with -1 at the end.
        """
        return self.read(self.vectors(words), words)

    def vectors(self, words: Tensor) -> Tensor:
        """What the GRU is given of words (batch, length): (length, batch, letters or embedding)."""
        places = words.T.long() + 1
        if self.embedding is not None:
            return self.embedding(places)
        # Index 0 of one more letter than there are takes the unknown ones, and is left out.
        return F.one_hot(places, self.letters + 1)[..., 1:].to(self.output.weight)

    def read(self, vectors: Tensor, words: Tensor) -> Tensor:
        """Logits (batch, classes) of the vectors (length, batch, n) of words (batch, length)."""
        given: Tensor | PackedSequence = vectors
        # In ONNX, which has no packed sequences, `export` gives the GRU the words' lengths.
        packed = not torch.compiler.is_exporting() and is_padded(words)
        if packed:
            lengths = word_lengths(words).cpu()
            given = pack_padded_sequence(vectors, lengths, enforce_sorted=False)
        outputs, states = self.recurrent(given)
        if self.readout != "last":
            if packed:
                outputs, _ = pad_packed_sequence(outputs, total_length=words.shape[1])
            return self.output(self.dropout(self.over_time(outputs, words)))
        states = (
            states[0] if self.cell == "lstm" else states
        )  # (layers * directions, batch, hidden)
        last = states[-2:] if self.recurrent.bidirectional else states[-1:]
        return self.output(self.dropout(torch.cat(list(last), dim=1)))

    def over_time(self, outputs: Tensor, words: Tensor) -> Tensor:
        """Mean or maximum (batch, units) of outputs (length, batch, units) within the words."""
        lengths = word_lengths(words).unsqueeze(1)
        if self.readout == "mean":
            return outputs.sum(0) / lengths  # behind a word, outputs are 0
        places = torch.arange(words.shape[1], device=words.device)
        beyond = (places >= lengths).T.unsqueeze(2)
        return outputs.masked_fill(beyond, -2).amax(0)  # states lie within [-1, 1]

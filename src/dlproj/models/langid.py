"""Networks that name the language of a word."""

import math
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from dlproj.models.counting import count_grams
from dlproj.store.nibbles import on_levels

COUNTED = 0.25  # weight of what is counted beside what is learnt
POWERS = 512  # places in a word that its hash tells apart
CODE_BITS = 60  # of an n-gram as a number
CELLS: dict[str, type[nn.GRU | nn.RNN | nn.LSTM]] = {"gru": nn.GRU, "rnn": nn.RNN, "lstm": nn.LSTM}
FIBONACCI = 0x9E3779B97F4A7C15 - 2**64  # 2^64 over the golden ratio, odd, as a signed integer


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


class NgramBag(nn.Module):
    """The sum of one vector for each letter n-gram, to a small network (Joulin et al. 2017).

    N-grams of 1 to `longest` letters, the edges of the word among them, share `buckets` vectors
    by a hash, so that the table stays small whatever the languages.

    Beside what is learnt, `count` keeps what language models by the same n-grams say, in slots by
    the same hash with eight more bits of it to know an n-gram by. Once trained, the network's
    log-probabilities and theirs are averaged, three to one, and divided by a `temperature`
    (Guo et al. 2017). Words that `remember` was given are known by heart. Both tables can be
    stored in four bits for a number, once `shorten` has rounded them.

    Args:
        letters: size of the alphabet.
        classes: number of languages.
        longest: letters of the longest n-gram; at most 8.
        buckets: vectors in the table; a power of two.
        width: size of a vector.
        hidden: units between the vectors' sum and the languages.
        dropout: of n-grams, and of the units.
        slots: for counted n-grams; a power of two.
        known: slots for words known by heart; a power of two, or 0.
    """

    marks: Tensor
    log_odds: Tensor
    temperature: Tensor
    powers: Tensor
    known_marks: Tensor
    known: Tensor

    def __init__(
        self,
        *,
        letters: int = 47,
        classes: int = 5,
        longest: int = 5,
        buckets: int = 2**18,
        width: int = 16,
        hidden: int = 64,
        dropout: float = 0.1,
        slots: int = 2**18,
        known: int = 0,
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
            "slots": slots,
            "known": known,
        }
        self.letters, self.classes, self.longest, self.buckets = letters, classes, longest, buckets
        self.base = letters + 3  # an unknown letter, and the edges
        self.table = nn.Parameter(torch.randn(buckets, width) / 10)
        self.drop_grams = nn.Dropout(dropout)
        self.classify = nn.Sequential(
            nn.LayerNorm(width),
            nn.Dropout(dropout),
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        self.register_buffer("marks", torch.zeros(slots, dtype=torch.uint8))
        # The last row stays zero: for n-grams that are in no slot.
        self.register_buffer("log_odds", torch.zeros(slots + 1, classes))
        self.slots, self.known_slots = slots, known
        if known:
            self.register_buffer("temperature", torch.ones(()))
            self.register_buffer("known_marks", torch.zeros(known, dtype=torch.int16))
            self.register_buffer("known", torch.zeros(known, classes))
            powers = [wrap(FIBONACCI**place) for place in range(POWERS)]
            self.register_buffer("powers", torch.tensor(powers), persistent=False)

    def forward(self, words: Tensor) -> Tensor:
        """Words (batch, length) of letter indices, -1 if unknown, to logits (batch, classes).

        Words may be padded with -1 at the end.
        """
        letters = self.with_edges(words)
        mixed = mix(self.grams(letters))
        within = self.within(words) if torch.compiler.is_exporting() or is_padded(words) else None
        learnt = self.learnt(mixed, within)
        if self.training:
            return learnt
        counted = self.counted(mixed, within)
        logits = learnt.log_softmax(1).lerp(counted.log_softmax(1), COUNTED)
        return self.recall(letters, logits / self.temperature) if self.known_slots else logits

    def with_edges(self, words: Tensor) -> Tensor:
        """Words (batch, length) as letters (batch, length + 2) from 0, which is an unknown one.

        The last edge comes behind the last known letter; what pads the word behind it is 0.
        """
        # The first edge is another than the last, which no letter follows.
        letters = F.pad(words.long() + 1, (1, 1), value=self.letters + 1)
        places = torch.arange(letters.shape[1], device=words.device)
        ends = word_lengths(words).unsqueeze(1) + 1
        return letters.masked_fill(places == ends, self.letters + 2).masked_fill(places > ends, 0)

    def within(self, words: Tensor) -> Tensor:
        """Which of all n-grams (batch, grams) of padded words (batch, length) lie within them."""
        width = words.shape[1] + 2
        places = torch.arange(width, device=words.device)
        lasts = [places[n - 1 :] for n in range(1, min(self.longest, width) + 1)]
        return torch.cat(lasts) <= word_lengths(words).unsqueeze(1) + 1

    def spell(self, words: Tensor) -> list[Tensor]:
        """For each n from 1 on, the n-grams (batch, grams) of words (batch, length) as numbers."""
        return self.grams(self.with_edges(words))

    def grams(self, letters: Tensor) -> list[Tensor]:
        """The same, of letters with their edges (batch, length + 2)."""
        codes, grams = torch.zeros_like(letters), []
        for n in range(1, min(self.longest, letters.shape[1]) + 1):
            codes = codes[:, : letters.shape[1] - n + 1] * self.base + letters[:, n - 1 :]
            grams.append(codes)
        return grams

    def learnt(self, mixed: Tensor, within: Tensor | None = None) -> Tensor:
        """The network's logits (batch, classes) of n-grams (batch, grams), or of those within."""
        grams = highest_bits(mixed, self.buckets)
        weights = None if within is None else within.to(self.table.dtype)
        if self.training:
            ones = torch.ones(grams.shape, device=grams.device) if weights is None else weights
            weights = self.drop_grams(ones)
        return self.classify(sum_of_rows(grams, self.table, weights))

    def counted(self, mixed: Tensor, within: Tensor | None = None) -> Tensor:
        """The language models' logits (batch, classes) of n-grams (batch, grams)."""
        slots = highest_bits(mixed, self.slots)
        unknown = self.marks[slots] != self.mark(mixed)
        if within is not None:
            unknown = unknown | ~within
        return sum_of_rows(slots.masked_fill(unknown, self.slots), self.log_odds)

    def mark(self, mixed: Tensor) -> Tensor:
        """What n-grams in the same slot are told apart by: the eight bits after the slot's."""
        return highest_bits(mixed, self.slots * 256) % 256

    def recall(self, letters: Tensor, logits: Tensor) -> Tensor:
        """The logits (batch, classes), with those known by heart in their place."""
        slots, marks = self.places(letters)
        known = self.known_marks[slots] == marks
        return torch.where(known.unsqueeze(1), self.known[slots], logits)

    def places(self, letters: Tensor) -> tuple[Tensor, Tensor]:
        """The slot (batch,) of each word as a whole, and the mark (batch,) that it has there.

        A mark is one of 65,536: a word that is not known by heart is seldom taken for one that is.
        """
        places = torch.arange(letters.shape[1], device=letters.device) % POWERS
        # A sum of random numbers, one for each letter in its place (Zobrist 1970). Of 40 bits, for
        # ONNX adds integers as floating-point numbers of 53.
        drawn = highest_bits(letters * self.powers[places], 2**40)
        mixed = drawn.sum(1) * FIBONACCI
        marks = highest_bits(mixed, self.known_slots * 2**16) % 2**16 - 2**15
        return highest_bits(mixed, self.known_slots), marks.short()

    @torch.no_grad()
    def remember(self, batches: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Know words by heart: of those that share a slot, the one that gains most by it.

        Args:
            batches: words (batch, length), the shares of their classes (batch, classes), and what
                each gains (batch,), above 0.
        """
        best = torch.zeros(self.known_slots, device=self.known.device)
        for words, shares, gains in batches:
            slots, marks = self.places(self.with_edges(words))
            # Of the words in a slot, the one whose rank by gain is the highest.
            order = gains.argsort(stable=True)
            ranks = torch.arange(len(order), device=slots.device)
            last = torch.full_like(best, -1, dtype=torch.long)
            last.scatter_reduce_(0, slots[order], ranks, "amax")
            taken = (last >= 0).nonzero()[:, 0]  # slots that a word of this batch falls into
            owners = order[last[taken]]
            better = gains[owners] > best[taken]
            taken, owners = taken[better], owners[better]
            best[taken] = gains[owners]
            self.known_marks[taken] = marks[owners]
            self.known[taken] = shares[owners].log()

    @torch.no_grad()
    def shorten(self) -> None:
        """Round both tables to what four bits for a number can hold."""
        self.table.copy_(on_levels(self.table))
        self.log_odds.copy_(on_levels(self.log_odds, shift_rows=True))

    @torch.no_grad()
    def count(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Make the language models of words (batch, length) and their classes (batch,).

        Of n-grams that share a slot, the one that says the most in all words has it.
        """
        longest = min(self.longest, int(CODE_BITS / math.log2(self.base)))
        models = count_grams(
            ((self.spell(words)[:longest], labels) for words, labels in batches),
            base=self.base,
            classes=self.classes,
        )
        mixed = mix([grams.codes for grams in models])
        values = torch.cat([grams.values for grams in models])
        # An n-gram says as much as it moves any one language, each time that it comes.
        says = torch.cat([grams.times for grams in models]) * values.abs().amax(1)
        order = says.argsort(stable=True)
        slots = highest_bits(mixed[order], self.slots)
        last = torch.full((self.slots,), -1)
        last.scatter_reduce_(0, slots, torch.arange(len(order)), "amax")
        taken = (last >= 0).nonzero()[:, 0]
        owners = order[last[taken]]
        self.log_odds[taken] = values[owners].to(self.log_odds)
        self.marks[taken] = self.mark(mixed[owners]).to(self.marks)


def word_lengths(words: Tensor) -> Tensor:
    """Letters (batch,) of padded words (batch, length) up to the last known one, and at least 1."""
    places = torch.arange(1, words.shape[1] + 1, device=words.device)
    return ((words >= 0) * places).amax(1).clamp(min=1)


def is_padded(words: Tensor) -> bool:
    """Whether any of the words (batch, length) ends with a letter that is not known."""
    return bool((words[:, -1] < 0).any())


def mix(grams: Sequence[Tensor]) -> Tensor:
    """All n-grams of all n in a row, each as 64 bits of which the highest depend on all of it.

    Fibonacci hashing (Knuth, volume 3, section 6.4): products mod 2^64.
    """
    return torch.cat([codes * 8 + n for n, codes in enumerate(grams)], dim=-1) * FIBONACCI


def wrap(number: int) -> int:
    """A number mod 2^64, as torch's signed integers hold it."""
    return (number + 2**63) % 2**64 - 2**63


def highest_bits(mixed: Tensor, size: int) -> Tensor:
    """A number below `size`, a power of two, for each of the mixed n-grams."""
    return (mixed >> (64 - size.bit_length() + 1)) & (size - 1)


def sum_of_rows(rows: Tensor, table: Tensor, weights: Tensor | None = None) -> Tensor:
    """Sums (batch, width), weighted or not, over rows (batch, rows) of a table."""
    if torch.compiler.is_exporting():  # ONNX's EmbeddingBag miscounts words below `longest`
        found = F.embedding(rows, table)
        return (found if weights is None else found * weights.unsqueeze(2)).sum(1)
    return F.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)

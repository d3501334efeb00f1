"""A network of letter n-grams that names the language of a word."""

import math
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.models.counting import count_grams
from dlproj.models.padding import is_padded, word_lengths
from dlproj.store.nibbles import on_levels

COUNTED = 0.25  # weight of what is counted beside what is learnt
POWERS = 512  # places in a word that its hash tells apart
CODE_BITS = 60  # of an n-gram as a number
FIBONACCI = 0x9E3779B97F4A7C15 - 2**64  # 2^64 over the golden ratio, odd, as a signed integer


class NgramBag(nn.Module):
    """The sums of one vector for each letter n-gram, to a small network (Joulin et al. 2017).

    N-grams of 1 to `longest` letters, the edges of the word among them, share `buckets` vectors
    by a hash, so that the table stays small whatever the languages.

    With `apart`, n-grams of each length have three sums: the word's first one, the last one, and
    those within. Otherwise one sum has all n-grams.

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
        apart: three sums for each length of n-gram: its first, its last, and those within.
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
        apart: bool = False,
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
            "apart": apart,
        }
        self.letters, self.classes, self.longest, self.buckets = letters, classes, longest, buckets
        self.apart, self.sums = apart, 3 * longest if apart else 1
        self.base = letters + 3  # an unknown letter, and the edges
        self.table = nn.Parameter(torch.randn(buckets, width) / 10)
        self.drop_grams = nn.Dropout(dropout)
        self.classify = nn.Sequential(
            nn.LayerNorm(self.sums * width),
            nn.Dropout(dropout),
            nn.Linear(self.sums * width, hidden),
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
        mixed, bags = mix(self.grams(letters)), self.bags(words)
        learnt = self.learnt(mixed, bags)
        if self.training:
            return learnt
        counted = self.counted(mixed, bags)
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

    def bags(self, words: Tensor) -> Tensor:
        """The sum that each n-gram of words (batch, length) adds to: (batch, grams), or (1, grams).

        The latter where no word is padded. What pads a word adds to a sum behind the others.
        """
        width = words.shape[1] + 2  # with the edges
        sizes = range(1, min(self.longest, width) + 1)
        starts = torch.cat([torch.arange(width - n + 1, device=words.device) for n in sizes])
        ends = torch.cat([torch.arange(n, width + 1, device=words.device) for n in sizes])
        lengths = torch.full_like(ends[:1], width)
        if torch.compiler.is_exporting() or is_padded(words):
            lengths = word_lengths(words).unsqueeze(1) + 2
        place = torch.where(starts == 0, 1, 2 * (ends == lengths))
        bags = (3 * (ends - starts - 1) + place) * self.apart
        return torch.atleast_2d(bags.masked_fill(ends > lengths, self.sums))

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

    def learnt(self, mixed: Tensor, bags: Tensor) -> Tensor:
        """The network's logits (batch, classes) of n-grams (batch, grams) in their bags."""
        rows, weights = highest_bits(mixed, self.buckets), None
        if self.training:
            weights = self.drop_grams(torch.ones_like(rows, dtype=self.table.dtype))
        return self.classify(sum_in_bags(rows, self.table, bags, self.sums, weights))

    def counted(self, mixed: Tensor, bags: Tensor) -> Tensor:
        """The language models' logits (batch, classes) of n-grams (batch, grams) in their bags."""
        slots = highest_bits(mixed, self.slots)
        unknown = (self.marks[slots] != self.mark(mixed)) | (bags == self.sums)
        slots = slots.masked_fill(unknown, self.slots)
        if torch.compiler.is_exporting():  # ONNX's EmbeddingBag miscounts words below `longest`
            return F.embedding(slots, self.log_odds).sum(1)
        return F.embedding_bag(slots, self.log_odds, mode="sum")

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


def sum_in_bags(
    rows: Tensor, table: Tensor, bags: Tensor, count: int, weights: Tensor | None = None
) -> Tensor:
    """Sums (batch, count * width) of the rows (batch, rows) of a table, by the bags they are in.

    Args:
        rows: numbers of rows.
        table: vectors (vectors, width).
        bags: the bag of each row (batch, rows), or of those of all words (1, rows), from 0 to
            `count`, which is left out.
        count: how many bags there are.
        weights: what each row is multiplied by, in any order (batch, rows).
    """
    if torch.compiler.is_exporting():  # ONNX has no stable sort
        places = torch.arange(count, device=bags.device).unsqueeze(1)
        chosen = (bags.unsqueeze(1) == places).to(table.dtype)  # (batch, count, rows)
        return (chosen @ F.embedding(rows, table)).flatten(1)
    batch, grams = rows.shape
    ordered = rows.gather(1, bags.argsort(dim=1, stable=True).expand(batch, -1))
    sizes = F.one_hot(bags, count + 1).sum(1)
    starts = torch.arange(batch, device=rows.device).unsqueeze(1) * grams + sizes.cumsum(1) - sizes
    sums = F.embedding_bag(
        ordered.flatten(),
        table,
        starts.flatten(),
        mode="sum",
        per_sample_weights=None if weights is None else weights.flatten(),
    )
    return sums.view(batch, count + 1, -1)[:, :count].flatten(1)

"""Shuffled batches of examples that sit in memory."""

import math
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor


def epoch_generator(seed: int, *place: int) -> torch.Generator:
    """The random numbers of one epoch, or of one batch of it: always the same, so resume is exact.

    All are mixed into 32 bits, because torch's generator looks at no more of its seed.
    """
    mixed = np.random.SeedSequence((seed, *place)).generate_state(1)
    return torch.Generator().manual_seed(int(mixed[0]))


class ShuffledBatches:
    """Batches of (inputs, targets) in an order drawn anew for each epoch; the last may be short.

    `prepare` makes of the inputs, with the epoch's random numbers, what the network takes.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        *,
        batch_size: int,
        seed: int,
        prepare: Callable[[Tensor, torch.Generator], Tensor] = lambda inputs, _: inputs,
    ) -> None:
        self.inputs = inputs
        self.targets = targets
        self.batch_size = batch_size
        self.seed = seed
        self.prepare = prepare

    def __len__(self) -> int:
        return math.ceil(len(self.targets) / self.batch_size)

    def epoch(self, number: int, done: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch, counted from 0, after those that are done."""
        # What is done is drawn again and passed over: the rest then has the same random numbers.
        return islice(self._whole_epoch(number), done, None)

    def _whole_epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        generator = epoch_generator(self.seed, number)
        order = torch.randperm(len(self.targets), generator=generator)
        for rows in order.to(self.targets.device).split(self.batch_size):
            yield self.prepare(self.inputs[rows], generator), self.targets[rows]

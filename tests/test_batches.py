"""Shuffled batches: what they hold, in which order, and where they go on."""

import pytest
import torch
from torch import Tensor

from dlproj.data.batches import ShuffledBatches, epoch_generator

INPUTS, TARGETS = torch.arange(10.0)[:, None] * 2, torch.arange(10)


def batches(seed: int = 0, size: int = 4) -> ShuffledBatches:
    return ShuffledBatches(INPUTS, TARGETS, batch_size=size, seed=seed)


def order(seed: int, epoch: int) -> list[int]:
    return torch.cat([targets for _, targets in batches(seed).epoch(epoch)]).tolist()


def test_the_last_batch_is_short_and_inputs_stay_beside_their_targets() -> None:
    seen = list(batches().epoch(0))
    assert [len(targets) for _, targets in seen] == [4, 4, 2]
    assert all(torch.equal(inputs[:, 0], 2 * targets) for inputs, targets in seen)
    assert [len(batches(size=size)) for size in (1, 3, 5, 10, 11)] == [10, 4, 2, 1, 1]


def test_each_seed_and_epoch_has_an_order_of_its_own_always_the_same() -> None:
    orders = {(seed, epoch): order(seed, epoch) for seed in range(4) for epoch in range(4)}
    assert all(sorted(each) == list(range(10)) for each in orders.values())
    assert len({tuple(each) for each in orders.values()}) == 16
    assert orders == {place: order(*place) for place in orders}


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_an_epoch_goes_on_after_the_batches_that_are_done(done: int) -> None:
    whole, rest = list(batches().epoch(1)), list(batches().epoch(1, done))
    assert len(rest) == 3 - done
    for (inputs, targets), (later, others) in zip(whole[done:], rest, strict=True):
        assert torch.equal(inputs, later)
        assert torch.equal(targets, others)


@pytest.mark.parametrize("done", [0, 2])
def test_inputs_are_prepared_with_the_numbers_of_the_epoch(done: int) -> None:
    """Those of batches that are done are drawn, so that the others have the same as ever."""

    def prepare(inputs: Tensor, generator: torch.Generator) -> Tensor:
        return inputs + torch.rand(len(inputs), 1, generator=generator)

    made = ShuffledBatches(INPUTS, TARGETS, batch_size=4, seed=3, prepare=prepare)
    whole, rest = list(made.epoch(2)), list(made.epoch(2, done))
    noise = torch.cat([inputs[:, 0] - 2 * targets for inputs, targets in whole])
    assert noise.min() >= 0
    assert noise.max() < 1
    assert noise.unique().numel() == 10
    for (inputs, _), (later, _) in zip(whole[done:], rest, strict=True):
        assert torch.equal(inputs, later)


def test_a_place_is_mixed_to_its_last_number() -> None:
    """torch's generator looks at 32 bits of its seed, so sums or shifts would meet."""
    places = [(0, 1), (1, 0), (1, 1), (0, 2**32), (1, 2**32), (2**32, 1), (2**40, 1), (2, 2**40)]
    drawn = {place: torch.rand(2, generator=epoch_generator(*place)).tolist() for place in places}
    assert len({tuple(each) for each in drawn.values()}) == len(places)
    assert drawn[0, 1] == torch.rand(2, generator=epoch_generator(0, 1)).tolist()

"""The training loop: against a loop written out, and stopped anywhere."""

import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.batches import ShuffledBatches
from dlproj.errors import DivergedError
from dlproj.store.weights import DamagedError
from dlproj.training.checkpoint import pack_training, unpack_training
from dlproj.training.device import choose_machine
from dlproj.training.loop import Training, accuracy, confusion_matrix, fit, predict
from dlproj.training.schedule import make_schedule

MACHINE = choose_machine("cpu", "fp32", 1)
SCHEDULES = ("constant", "linear", "cosine", "one-cycle")


def batches() -> ShuffledBatches:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(50, 6, generator=generator)
    return ShuffledBatches(inputs, (inputs.sum(1) > 0).long(), batch_size=8, seed=1)


def training(schedule: str = "linear", optimizer: str = "sgd", lr: float = 0.1) -> Training:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3),
                          nn.Linear(16, 2))  # fmt: skip
    chosen: torch.optim.Optimizer = (
        torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        if optimizer == "sgd"
        else torch.optim.Adam(model.parameters(), lr=lr)
    )
    return Training(model, chosen, make_schedule(schedule, chosen, 3 * 7))


def go_on(state: Training) -> Iterator[float]:
    for step in fit(state, batches(), loss_fn=F.cross_entropy, epochs=3, machine=MACHINE):
        yield step.loss


def test_does_what_a_loop_written_out_does() -> None:
    state = training()
    losses = list(go_on(state))
    reference = training()
    expected = []
    for epoch in range(3):
        reference.model.train()
        for inputs, targets in batches().epoch(epoch):
            loss = F.cross_entropy(reference.model(inputs), targets)
            reference.optimizer.zero_grad()
            loss.backward()
            reference.optimizer.step()
            reference.schedule.step()
            expected.append(loss.item())
    assert losses == expected
    assert losses[-1] < losses[0]


def test_each_epoch_sees_each_example_once_in_another_order() -> None:
    first, second = (torch.cat([x for x, _ in batches().epoch(n)]) for n in (0, 1))
    assert not torch.equal(first, second)
    assert torch.equal(first.sort(0)[0], second.sort(0)[0])
    again = torch.cat([x for x, _ in batches().epoch(0)])
    assert torch.equal(first, again)
    other_seed = batches()
    other_seed.seed = 2
    assert not torch.equal(first, torch.cat([x for x, _ in other_seed.epoch(0)]))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_training_resumed_at_any_step_ends_with_the_same_bytes(
    optimizer: str, schedule: str
) -> None:
    whole = training(schedule, optimizer)
    checkpoints = [pack_training(whole), *(pack_training(whole) for _ in go_on(whole))]
    assert len(checkpoints) == 22
    for checkpoint in checkpoints[::3]:
        resumed = training(schedule, optimizer)
        torch.manual_seed(99)
        unpack_training(checkpoint, resumed)
        for _ in go_on(resumed):
            pass
        assert pack_training(resumed) == checkpoints[-1]


def test_every_flipped_byte_of_a_checkpoint_is_noticed_or_harmless() -> None:
    state = training()
    good = pack_training(state)
    for place in range(0, len(good), 5):
        bad = bytearray(good)
        bad[place] ^= 0x20
        resumed = training()
        try:
            unpack_training(bytes(bad), resumed)
        except DamagedError:
            continue
        assert pack_training(resumed) == good, place


def test_every_truncation_of_a_checkpoint_is_noticed() -> None:
    good = pack_training(training())
    for length in range(0, len(good), 11):
        with pytest.raises(DamagedError):
            unpack_training(good[:length], training())


def test_a_loss_that_is_not_finite_stops_before_the_weights_follow() -> None:
    state = training(lr=1e30)
    with pytest.raises(DivergedError, match=r"no longer finite at step \d+ .*try a lower --lr"):
        list(go_on(state))


@pytest.mark.parametrize(
    ("name", "first", "middle", "last"),
    [
        ("constant", 1.0, 1.0, 1.0),
        ("linear", 1.0, 0.5, 0.01),
        ("cosine", 1.0, 0.5, 0.5 - 0.5 * math.cos(math.pi / 100)),
        ("one-cycle", 0.04, None, None),
    ],
)
def test_schedules(name: str, first: float, middle: float | None, last: float | None) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make_schedule(name, optimizer, 100)
    rates = []
    for _ in range(100):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx(first)
    assert middle is None or rates[50] == pytest.approx(middle, abs=0.01)
    assert last is None or rates[-1] == pytest.approx(last, abs=0.001)
    assert max(rates) == pytest.approx(1.0, abs=0.001)


def test_predict_leaves_the_mode_as_it_was_and_ignores_the_batch_size() -> None:
    model = training().model.train()
    inputs = torch.randn(10, 6)
    whole = predict(model, inputs, machine=MACHINE)
    parts = predict(model, inputs, machine=MACHINE, batch_size=3)
    assert model.training
    torch.testing.assert_close(whole, parts)


def test_accuracy_and_confusion() -> None:
    logits = torch.eye(3)[torch.tensor([0, 1, 2, 2])]
    labels = torch.tensor([0, 1, 2, 0])
    assert accuracy(logits, labels) == 0.75
    assert confusion_matrix(logits, labels, 3).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]


def test_bf16_is_used_where_asked_for() -> None:
    machine = choose_machine("cpu", "bf16", 1)
    seen: list[torch.dtype] = []

    def loss_fn(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.append(outputs.dtype)
        return F.cross_entropy(outputs, targets)

    next(fit(training(), batches(), loss_fn=loss_fn, epochs=1, machine=machine))
    assert seen == [torch.bfloat16]

"""The training loop: against a loop written out, and stopped anywhere."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.batches import ShuffledBatches
from dlproj.errors import DivergedError
from dlproj.store.weights import DamagedError
from dlproj.training.checkpoint import pack_training, unpack_training
from dlproj.training.device import choose_machine
from dlproj.training.loop import (
    Training,
    accuracy,
    class_accuracy,
    confusion_matrix,
    fit,
    predict,
)
from dlproj.training.schedule import make_schedule
from tests.support.machine import MACHINE


def batches() -> ShuffledBatches:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(50, 6, generator=generator)
    return ShuffledBatches(inputs, (inputs.sum(1) > 0).long(), batch_size=8, seed=1)


def training(schedule: str = "linear", optimizer: str = "sgd", lr: float = 0.1) -> Training:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2)
    )
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


def test_each_step_says_where_it_is() -> None:
    state = training(lr=0.2)
    steps = list(
        fit(state, batches(), loss_fn=F.cross_entropy, epochs=3, machine=MACHINE, score=accuracy)
    )
    assert [step.step for step in steps] == list(range(1, 22))
    assert {(step.steps, step.epochs) for step in steps} == {(21, 3)}
    assert [step.epoch for step in steps] == [1] * 7 + [2] * 7 + [3] * 7
    assert [step.step for step in steps if step.ends_epoch] == [7, 14, 21]
    assert [step.examples for step in steps] == 3 * [*[8] * 6, 2]
    assert [step.lr for step in steps] == pytest.approx([0.2 * (1 - n / 21) for n in range(21)])
    right = [round(step.examples * step.score, 9) for step in steps if step.score is not None]
    assert len(right) == 21
    assert all(count.is_integer() for count in right)
    assert 0 < sum(right) < 150
    assert (
        next(fit(training(), batches(), loss_fn=F.cross_entropy, epochs=1, machine=MACHINE)).score
        is None
    )
    assert list(go_on(state)) == []  # it is at the end already


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
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "one-cycle"])
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


def test_a_checkpoint_holds_position_records_and_random_numbers() -> None:
    state = training()
    steps = go_on(state)
    next(steps), next(steps)
    state.seconds = 12.5
    data, expected = pack_training(state, records="abc"), torch.rand(3)
    torch.manual_seed(5)
    resumed = training()
    assert unpack_training(data, resumed) == "abc"
    assert (resumed.step, resumed.seconds) == (2, 12.5)
    assert torch.equal(torch.rand(3), expected)
    assert resumed.optimizer.state_dict()["state"].keys() == {*range(6)}
    assert resumed.schedule.get_last_lr() == state.schedule.get_last_lr()
    assert not resumed.scaler.is_enabled()
    assert unpack_training(pack_training(state), training()) == ""


def test_a_checkpoint_of_another_network_is_refused_in_one_line() -> None:
    other = training()
    other.model = nn.Linear(2, 2)
    with pytest.raises(DamagedError) as refused:
        unpack_training(pack_training(training()), other)
    assert str(refused.value).startswith("does not fit this run (Error(s) in loading state_dict")
    assert str(refused.value).endswith(")")
    assert "\n" not in str(refused.value)


def test_a_loss_that_is_not_finite_stops_before_the_weights_follow() -> None:
    state = training(lr=1e30)
    losses, weights = [], [parameter.clone() for parameter in state.model.parameters()]

    def train() -> None:
        for loss in go_on(state):
            losses.append(loss)
            weights[:] = [parameter.clone() for parameter in state.model.parameters()]

    with pytest.raises(
        DivergedError, match=r"no longer finite at step \d+ .*try a lower --lr"
    ) as e:
        train()
    assert f"at step {len(losses) + 1} " in str(e.value)
    assert state.step == len(losses)
    assert all(map(torch.equal, weights, state.model.parameters()))


def one_cycle(step: int, steps: int) -> float:
    """Smith & Topin 2018 along cosines, as a share of the highest rate.

    Up from 1/25 for 30 % of the run, then down to 1/25 of a ten-thousandth, one step after its end.
    """
    peak = 0.3 * (steps + 1) - 1

    def between(start: float, end: float, share: float) -> float:
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    if step <= peak:
        return between(1 / 25, 1, step / peak)
    return between(1, 1 / 25 / 10_000, (step - peak) / (steps - peak))


CLOSED: dict[str, Callable[[int, int], float]] = {
    "constant": lambda _step, _steps: 1,
    "linear": lambda step, steps: 1 - step / steps,
    "cosine": lambda step, steps: (1 + math.cos(math.pi * step / steps)) / 2,
    "one-cycle": one_cycle,
}


@pytest.mark.parametrize("steps", [1, 7, 100])
@pytest.mark.parametrize("name", CLOSED)
def test_schedules_in_closed_form(name: str, steps: int) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3, momentum=0.9)
    schedule = make_schedule(name, optimizer, steps)
    rates = []
    for _ in range(steps):
        rates.append(schedule.get_last_lr()[0])
        assert optimizer.param_groups[0]["momentum"] == 0.9
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.3 * CLOSED[name](step, steps) for step in range(steps)])


def test_a_schedule_of_no_such_name() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    with pytest.raises(ValueError, match=r"^unknown schedule 'slow'$"):
        make_schedule("slow", optimizer, 10)


def test_predict_leaves_the_mode_as_it_was_and_ignores_the_batch_size() -> None:
    model = training().model.train()
    inputs = torch.randn(10, 6)
    whole = predict(model, inputs, machine=MACHINE)
    parts = predict(model, inputs, machine=MACHINE, batch_size=3)
    assert model.training
    torch.testing.assert_close(whole, parts)


@pytest.mark.parametrize(
    ("precision", "dtype", "expected"),
    [
        ("fp32", torch.float32, torch.float32),
        ("bf16", torch.float32, torch.float32),
        ("fp32", torch.float64, torch.float64),
    ],
)
def test_predictions_are_in_single_precision_or_better(
    precision: str, dtype: torch.dtype, expected: torch.dtype
) -> None:
    seen: list[tuple[bool, torch.dtype, int]] = []
    model = nn.Linear(6, 2).to(dtype)
    model.register_forward_hook(
        lambda module, given, made: seen.append((module.training, made.dtype, len(given[0])))
    )
    machine = choose_machine("cpu", precision, 1)
    made = predict(model, torch.randn(600, 6, dtype=dtype), machine=machine)
    assert made.dtype == expected
    assert not made.requires_grad
    inside = torch.bfloat16 if precision == "bf16" else dtype
    assert seen == [(False, inside, count) for count in (250, 250, 100)]


def test_the_mode_is_restored_after_an_error_too() -> None:
    model = training().model.train()
    with pytest.raises(RuntimeError):
        predict(model, torch.zeros(1, 7), machine=MACHINE)
    assert model.training


def test_accuracy_and_confusion() -> None:
    logits = torch.eye(3)[torch.tensor([0, 1, 2, 2])]
    labels = torch.tensor([0, 1, 2, 0])
    assert accuracy(logits, labels) == 0.75
    assert confusion_matrix(logits, labels, 3).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    wider = F.pad(logits, (0, 2), value=-1)  # two classes that never occur
    assert confusion_matrix(wider, labels, 5)[:3, :3].equal(confusion_matrix(logits, labels, 3))
    assert confusion_matrix(wider, labels, 5).sum() == 4


def test_accuracy_of_each_class_is_its_share_of_the_row() -> None:
    confusion = torch.tensor([[3, 1, 0], [0, 0, 0], [2, 1, 1]])
    assert class_accuracy(confusion) == [3 / 4, None, 1 / 4]


def test_a_checkpoint_holds_the_random_numbers_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    states, put = [torch.tensor([1, 2]).byte(), torch.tensor([3]).byte()], list[Tensor]()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", put.extend)
    unpack_training(pack_training(training()), training())
    assert [state.tolist() for state in put] == [[1, 2], [3]]


def test_bf16_is_used_where_asked_for() -> None:
    machine = choose_machine("cpu", "bf16", 1)
    seen: list[torch.dtype] = []

    def loss_fn(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.append(outputs.dtype)
        return F.cross_entropy(outputs, targets)

    next(fit(training(), batches(), loss_fn=loss_fn, epochs=1, machine=machine))
    assert seen == [torch.bfloat16]


def half(scale: float) -> Training:
    """A training whose losses are scaled by so much before their gradients are in 16 bits."""
    state = training(lr=0.05)
    state.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    return state


HALF = choose_machine("cpu", "fp16", 1)


def test_fp16_scales_losses_and_comes_to_what_fp32_comes_to() -> None:
    state, plain = half(1024.0), training(lr=0.05)
    losses, expected = (
        [step.loss for step in fit(each, batches(), loss_fn=F.cross_entropy, epochs=3, machine=on)]
        for each, on in ((state, HALF), (plain, MACHINE))
        if torch.manual_seed(7)  # of the dropout, which is in both
    )
    assert losses != expected
    assert losses == pytest.approx(expected, abs=0.02)
    for one, other in zip(state.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0.01)
    assert state.scaler.get_scale() == 1024


def test_fp16_steps_over_gradients_that_overflow_and_halves_the_scale() -> None:
    state = half(2.0**30)
    before = [weights.clone() for weights in state.model.parameters()]
    steps = fit(state, batches(), loss_fn=F.cross_entropy, epochs=3, machine=HALF)
    first, second = next(steps), next(steps)
    assert first.lr == second.lr == 0.05  # of the schedule, too, it is no step
    assert all(map(torch.equal, before, state.model.parameters()))
    assert state.scaler.get_scale() == 2.0**28
    for _ in steps:
        pass
    assert not any(map(torch.equal, before, state.model.parameters()))
    assert state.scaler.get_scale() < 2.0**28


def test_fp16_without_a_scaler_gets_one_that_a_checkpoint_holds() -> None:
    state = training()
    assert not state.scaler.is_enabled()
    steps = fit(state, batches(), loss_fn=F.cross_entropy, epochs=1, machine=HALF)
    next(steps)
    assert state.scaler.is_enabled()
    assert state.scaler.state_dict()["scale"] in {2.0**16, 2.0**15}  # torch's, or halved once
    state.scaler.update(123.0)
    resumed = training()
    unpack_training(pack_training(state), resumed)
    assert resumed.scaler.get_scale() == 123
    next(fit(resumed, batches(), loss_fn=F.cross_entropy, epochs=1, machine=HALF))
    assert resumed.scaler.get_scale() == 123


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_an_optimiser_goes_on_with_weights_that_lie_channels_last(
    kind: Callable[..., torch.optim.Optimizer], fused: bool
) -> None:
    """A fused kernel goes through weights and means as they lie in memory."""

    def begun() -> Training:
        torch.manual_seed(0)
        model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        momentum: dict[str, Any] = {"momentum": 0.9} if kind is torch.optim.SGD else {}
        chosen = kind(model.parameters(), lr=0.1, fused=fused, **momentum)
        return Training(model, chosen, make_schedule("constant", chosen, 10))

    def step(state: Training) -> Tensor:
        images = torch.rand(2, 3, 5, 5, generator=torch.Generator().manual_seed(1))
        state.optimizer.zero_grad()
        state.model(images).square().sum().backward()
        state.optimizer.step()
        return torch.cat([weights.detach().flatten() for weights in state.model.parameters()])

    whole, resumed = begun(), begun()
    step(whole)
    unpack_training(pack_training(whole), resumed)
    assert torch.equal(step(whole), step(resumed))

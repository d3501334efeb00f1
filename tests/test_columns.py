"""Columns that train side by side come to what they come to one after the other."""

import threading
from collections.abc import Iterator
from itertools import islice

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.batches import ShuffledBatches
from dlproj.models.digits import DeepCNN
from dlproj.training.device import Machine
from dlproj.training.loop import Step, Training, accuracy, fit
from dlproj.training.schedule import make_schedule


def trained(threads: int, precision: str = "fp32", stop_after: int = 0) -> dict[str, Tensor]:
    """Weights, running statistics and losses after a few steps; the last batch is short.

    It is begun again after so many steps from where it stands.
    """
    torch.manual_seed(0)
    kind = torch.float64 if precision == "fp32" else torch.float32
    model = DeepCNN(classes=3).to(kind)
    images = torch.randn(31, 1, 28, 28).to(kind)
    batches = ShuffledBatches(images, torch.arange(31) % 3, batch_size=9, seed=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    training = Training(model, optimizer, make_schedule("linear", optimizer, 2 * len(batches)))
    machine = Machine(torch.device("cpu"), precision, threads)

    def steps() -> Iterator[Step]:
        return fit(
            training, batches, loss_fn=F.cross_entropy, epochs=2, machine=machine, score=accuracy
        )

    seen = [*islice(steps(), stop_after), *steps()]
    losses = torch.tensor([[step.loss, step.score or 0] for step in seen])
    return {**model.state_dict(), "losses": losses}


@pytest.mark.parametrize("threads", [2, 5])
def test_side_by_side_is_one_after_the_other(threads: int) -> None:
    """Dropout draws for every column what it would have drawn alone."""
    alone, together = trained(1), trained(threads)
    assert together.keys() == alone.keys()
    for name, expected in alone.items():
        torch.testing.assert_close(together[name], expected, rtol=1e-12, atol=1e-13, msg=name)


def test_the_same_bits_each_time() -> None:
    """Also where a training was stopped and goes on."""
    one, other, resumed = (trained(2, "bf16", stop_after=stop) for stop in (0, 0, 3))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert all(torch.equal(one[name], resumed[name]) for name in one)


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_the_threads_have_the_precision_of_the_machine(precision: str, kind: torch.dtype) -> None:
    machine, images = Machine(torch.device("cpu"), precision, 2), torch.zeros(4, 1, 28, 28)
    forward = machine.group.spread(DeepCNN(), machine.threads)
    machine.group.share(images, torch.zeros(4))
    with machine.autocast():
        logits = forward(images)
    assert logits.dtype == kind
    logits.sum().backward()


@pytest.mark.parametrize(("threads", "own"), [(1, False), (2, True)])
def test_columns_run_in_threads_of_their_own_where_there_are_several(
    threads: int, own: bool
) -> None:
    model, ran = DeepCNN(), list[str]()
    for column in model.columns:
        column.register_forward_hook(lambda *_: ran.append(threading.current_thread().name))
    group = Machine(torch.device("cpu"), "fp32", threads).group
    forward = group.spread(model, threads)
    group.share(torch.zeros(4), torch.zeros(4))
    forward(torch.zeros(4, 1, 28, 28))
    assert [name.startswith("column") for name in ran] == [own, own]


def test_an_error_in_a_column_is_an_error_of_the_step() -> None:
    model = DeepCNN()
    forward = Machine(torch.device("cpu"), "fp32", 2).group.spread(model, 2)
    with pytest.raises(RuntimeError, match="channels"):
        forward(torch.zeros(0, 3, 28, 28))

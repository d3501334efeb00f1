"""The machine that a training takes: device, precision, threads; and its share of a batch."""

import copy
import ctypes
import itertools
import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn

from dlproj.errors import DlprojError, LostProcessError
from dlproj.training import device, parallel
from dlproj.training.all_reduce import SocketAllReduce
from dlproj.training.device import Machine, choose_machine
from dlproj.training.parallel import Group
from dlproj.training.shared_layers import GlobalBatchNorm2d, GlobalDropout, Part, put_in_place
from tests.support.machine import MACHINE

ALONE = SocketAllReduce(0, {})
ROOM: Any = vars(Machine)["room"]  # which the fixtures of all tests replace by 1


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_cores", lambda: 4)


def test_without_a_number_trainings_share_the_cores_as_threads() -> None:
    chosen = {n: choose_machine("cpu", trainings=n).threads for n in (1, 2, 3, 4, 9)}
    assert chosen == {1: 4, 2: 2, 3: 1, 4: 1, 9: 1}
    assert torch.get_num_threads() == 1
    assert choose_machine("cpu", threads=3, trainings=2).threads == 3
    assert torch.get_num_threads() == 3
    assert choose_machine("cpu").threads == 4


def test_processes_of_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(1, 8)
    assert choose_machine("cpu", group=group, trainings=4).threads == 4
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    machine = choose_machine("cpu", group=group, trainings=4)
    assert machine.threads == 2
    assert machine.group is group
    assert choose_machine("cpu", group=Group(), trainings=4).threads == 1
    assert choose_machine("cpu").group == Group(0, 1)


def test_trainings_at_once() -> None:
    room = {threads: ROOM.fget(replace(MACHINE, threads=threads)) for threads in (1, 2, 3, 4, 9)}
    assert room == {1: 4, 2: 2, 3: 1, 4: 1, 9: 1}
    assert ROOM.fget(replace(MACHINE, group=Group(0, 2))) == 1
    assert ROOM.fget(replace(MACHINE, device=torch.device("cuda"))) == 1


@pytest.mark.parametrize(
    ("features", "precision"),
    [
        ({}, "fp32"),
        ({"avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True}, "bf16"),
        ({"avx512_bf16": False, "amx_bf16": False, "avx512": True}, "fp32"),
    ],
)
def test_bf16_is_chosen_where_the_processor_computes_it(
    features: dict[str, bool], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert choose_machine("cpu").precision == precision
    assert choose_machine("cpu", "fp16").precision == "fp16"


@pytest.mark.parametrize(
    ("capability", "wanted"), [((7, 5), False), ((8, 0), True), ((9, 0), True)]
)
def test_bf16_is_chosen_on_gpus_from_ampere_on(
    capability: tuple[int, int], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert device._computes_bf16(torch.device("cuda")) is wanted
    assert device._computes_bf16(torch.device("mps")) is False


def test_the_best_device_is_taken_and_each_process_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert device._device("auto") == torch.device("cpu")
    with pytest.raises(DlprojError) as refused:
        device._device("mps")
    assert str(refused.value) == "--device mps: not on this machine, which has cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device._device("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device._device("auto") == device._device("cuda") == torch.device("cuda:0")
    assert device._device("cuda:1") == torch.device("cuda:1")
    assert device._device("cpu") == torch.device("cpu")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert device._device("auto") == device._device("cuda:0") == torch.device("cuda:1")
    with pytest.raises(DlprojError) as refused:
        device._device("cuda:2")
    assert (
        str(refused.value)
        == "--device cuda:2: not on this machine, which has cpu, cuda:0, cuda:1, mps"
    )


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_matrix_products_are_in_that_precision(precision: str, dtype: torch.dtype) -> None:
    square = torch.ones(2, 2)
    with replace(MACHINE, precision=precision).autocast():
        assert (square @ square).dtype == dtype


def test_what_a_result_says_of_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(torch.device("cpu"), "bf16", 3, Group(1, 2))
    assert machine.describe() == {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": "cpu",
        "device_name": "cpu",
        "threads": 3,
        "processes": 2,
        "precision": "bf16",
        "platform": platform.platform(),
    }
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda gpu: f"the name of {gpu}")
    on_gpu = replace(machine, device=torch.device("cuda:1")).describe()
    assert (on_gpu["device"], on_gpu["device_name"]) == ("cuda:1", "the name of cuda:1")


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    if hasattr(os, "sched_getaffinity"):
        assert device._cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert device._cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert device._cores() == 1


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("total", [0, 1, 2, 7, 12])
def test_shares_are_even_and_hold_each_example_once(size: int, total: int) -> None:
    shares = [
        Part(rank, range(size), ALONE).share(torch.arange(total)).tolist() for rank in range(size)
    ]
    assert [*itertools.chain(*shares)] == list(range(total))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_process_that_has_no_part_has_no_share() -> None:
    part = Part(0, range(1, 3), ALONE)
    assert len(part.share(torch.arange(5))) == 0
    values = torch.ones(2)
    part.add(values)  # without asking the others
    assert values.tolist() == [1, 1]


def test_a_process_alone_keeps_what_it_has() -> None:
    group, model = Group(), nn.Linear(1, 1)
    batch = torch.rand(3, 2), torch.arange(3)
    assert group.share(*batch) == batch
    assert group.mean([1.0, 2.0], weight=3, flag=True)() == ([1, 2], True)
    assert group.mean([1.0, 2.0], weight=3, flag=False)() == ([1, 2], False)
    group.share_statistics()
    assert group.first(b"data") == b"data"
    assert group.spread(model, 2) is model


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Group]:
    """A process that takes itself for one of two, though there is no other: sums are its own."""
    dist.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    yield Group(0, 2, connected=[ALONE])
    dist.destroy_process_group()


def test_what_processes_tell_each_other(connected: Group) -> None:
    connected.total = 8
    means, flag = connected.mean([1.5, float("nan")], weight=4, flag=True)()
    assert means[0] == 1.5 * 4 / 8
    assert flag is True
    # Of a share without examples:
    assert connected.mean([float("nan")], weight=0, flag=False)() == ([0], False)
    assert connected.first(b"ab\0c") == b"ab\0c"
    assert connected.first(b"") == b""


def test_what_processes_tell_each_other_is_where_their_backend_wants_it(connected: Group) -> None:
    connected.total = 4
    with torch.device("meta"):
        assert connected.mean([1.5], weight=4, flag=True)() == ([1.5], True)
        assert connected.first(b"abc") == b"abc"
        assert connected.first(b"") == b""


def test_batchnorm_over_a_whole_batch_is_torchs(connected: Group) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 3, 4, 2, dtype=torch.float64) * 3 + 1
    own, ours = x.clone().requires_grad_(), x.clone().requires_grad_()
    plain = nn.BatchNorm2d(3, momentum=0.3).double()
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    shared = copy.deepcopy(plain)
    model = nn.Sequential(shared, nn.Dropout(0.0), nn.Linear(2, 2).double())
    assert connected.spread(model, 1) is model
    assert [type(module) for module in model] == [GlobalBatchNorm2d, GlobalDropout, nn.Linear]
    connected.share(x, torch.arange(5))
    expected, given = plain(own), shared(ours)
    torch.testing.assert_close(given, expected)
    weights = torch.randn_like(expected)
    (weights * expected).sum().backward()
    (weights * given).sum().backward()
    torch.testing.assert_close(ours.grad, own.grad)
    for one, other in zip(shared.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], value, msg=name)
    torch.testing.assert_close(shared.eval()(x), plain.eval()(x))
    connected.share(x[:1], torch.arange(1))
    shared.train()(x[:1, :, :1, :1])  # one value: its variance is 0, and no division by 0
    assert all(value.isfinite().all() for value in shared.state_dict().values())


def test_batchnorm_in_sixteen_bits_sums_in_thirty_two(connected: Group) -> None:
    model = nn.Sequential(nn.BatchNorm2d(1))
    put_in_place(model, Part(0, range(2), ALONE, total=64))
    x = 300 + torch.randn(64, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    made = model(x.half())
    assert made.dtype == torch.float16
    assert made.float().mean().item() == pytest.approx(0, abs=0.01)
    assert made.float().std().item() == pytest.approx(1, abs=0.02)


def test_dropout_takes_its_share_of_what_one_process_draws() -> None:
    whole, parts = torch.rand(7, 20) + 1, []
    torch.manual_seed(3)
    expected = nn.Dropout(0.4)(whole)
    for rank in (0, 1):
        part = Part(rank, range(2), ALONE, total=7)
        model = nn.Sequential(nn.Dropout(0.4))
        put_in_place(model, part)
        torch.manual_seed(3)
        parts.append(model(part.share(whole)))
        assert torch.equal(model.eval()(whole), whole)
    assert torch.equal(torch.cat(parts), expected)


def test_torchrun_is_known_by_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    assert not parallel.launched()
    assert parallel.launch_name() == ""
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not parallel.launched()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "seven")
    assert parallel.launched()
    assert parallel.launch_name() == f"seven {platform.node()} {os.getppid()}"
    assert not parallel.restarted()
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert parallel.restarted()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert not parallel.launched()
    monkeypatch.delenv("WORLD_SIZE")
    assert not parallel.launched()
    with parallel.member() as group:
        assert group == Group(0, 1)


class Distributed:
    """Stands for torch.distributed: it writes down what it is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, gpus: bool) -> None:
        self.asked: list[Any] = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus)
        for name in ("init_process_group", "barrier", "destroy_process_group"):
            monkeypatch.setattr(dist, name, partial(self.note, name))
        monkeypatch.setattr(dist, "is_initialized", lambda: bool(self.asked))
        monkeypatch.setattr(torch.cuda, "set_device", partial(self.note, "set_device"))
        monkeypatch.setattr(parallel, "PrefixStore", lambda *given: given)
        monkeypatch.setattr(parallel, "rendezvous", lambda url: iter([(url, 1, 3)]))
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "seven")
        monkeypatch.setenv("WORLD_SIZE", "3")
        monkeypatch.setenv("LOCAL_RANK", "2")

    def note(self, name: str, *given: Any, **named: Any) -> None:
        self.asked.append((name, *given, named) if given or named else name)


@pytest.mark.parametrize("restarts", [None, 4])
@pytest.mark.parametrize("gpus", [False, True])
def test_a_process_of_torchrun_joins_the_others_and_leaves_them(
    gpus: bool, restarts: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = Distributed(monkeypatch, gpus=gpus)
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT", raising=False)
    if restarts:
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(restarts))
    store: Any = (f"attempt {restarts or 0}", "env://")
    with parallel.member() as group:
        assert group == Group(1, 3, store)
        distributed.asked.append("work")
    joined = {"store": store, "rank": 1, "world_size": 3}
    assert distributed.asked == [
        *([("set_device", 2, {})] if gpus else []),
        ("init_process_group", "nccl" if gpus else "gloo", joined),
        "work",
        "barrier",  # so that none leaves while others still want something of it
        "destroy_process_group",
    ]


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (dist.DistBackendError("the other is gone"), True),
        (RuntimeError("[../third_party/gloo/pair.cc] Connection closed by peer"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_an_error_of_the_connection_is_that_another_process_has_ended(
    error: RuntimeError, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = Distributed(monkeypatch, gpus=False)
    with pytest.raises(LostProcessError if lost else RuntimeError) as raised, parallel.member():
        raise error
    assert (raised.value is error) is not lost
    assert distributed.asked[1:] == ["destroy_process_group"]


def test_the_first_process_decides(connected: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other is given what the first sent, whatever it has itself."""
    assert connected.decided_by_first(True) is True
    assert connected.decided_by_first(False) is False
    sent = iter([3, list(b"yes"), 0, []])

    def broadcast(tensor: torch.Tensor, source: int) -> None:
        assert source == 0
        tensor.copy_(torch.tensor(next(sent)))

    monkeypatch.setattr(dist, "broadcast", broadcast)
    second = Group(1, 2)
    assert second.decided_by_first(False) is True
    assert second.decided_by_first(True) is False


def test_glibc_keeps_freed_memory_up_to_a_gigabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """M_TRIM_THRESHOLD is -1 and M_MMAP_THRESHOLD is -3 in its malloc.h."""
    calls: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *given: calls.append(given))
    monkeypatch.setattr(ctypes, "CDLL", {None: library}.__getitem__)
    for name, expected in (("musl", set()), ("glibc", {(-3, 2**30), (-1, 2**30)})):
        monkeypatch.setattr(platform, "libc_ver", lambda name=name: (name, "2.36"))
        device._keep_freed_memory()
        assert set(calls) == expected


@pytest.mark.parametrize("examples", [1, 2, 5])
def test_what_evaluation_normalises_by_is_torchs_own(examples: int) -> None:
    """The unbiased variance, of two values as of five; of one value torch refuses to take any."""
    images = torch.randn(examples, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    plain, shared = nn.BatchNorm2d(3), GlobalBatchNorm2d(3)
    shared.part = Part(0, range(1), ALONE, total=examples)
    shared(images)
    if examples > 1:
        plain(images)
        torch.testing.assert_close(shared.running_mean, plain.running_mean)
        torch.testing.assert_close(shared.running_var, plain.running_var)
    else:
        torch.testing.assert_close(shared.running_var, torch.full((3,), 0.9))

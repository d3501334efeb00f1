"""Several processes that train one network come to what one process comes to."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import torch

from dlproj.store.weights import unpack
from tests.conftest import environment

TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
TINY_TRAINING = ("--epochs", "2", "--device", "cpu", "--precision", "fp32", "--no-plots")


def run(*command: object, timeout: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [*map(str, command)],
        env={**environment(), **more},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def own_lines(stderr: str) -> list[str]:
    """What dlproj says, between the lines of torchrun."""
    return [line for line in stderr.splitlines() if line.startswith("dlproj: ")]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, torch.Tensor]]:
    """What one process trains in double precision, by the network's name."""

    @cache
    def train(network: str) -> dict[str, torch.Tensor]:
        out = tmp_path_factory.mktemp("alone") / "weights"
        done = run(sys.executable, "-m", "tests.support.parallel_worker", out, network)
        assert done.returncode == 0, done.stderr
        return unpack(out.read_bytes())[0]

    return train


def assert_same(out: Path, alone: dict[str, torch.Tensor]) -> None:
    """Weights, running statistics and losses agree to the order of additions."""
    together = unpack(out.read_bytes())[0]
    assert together.keys() == alone.keys()
    for name, expected in alone.items():
        torch.testing.assert_close(together[name], expected, rtol=1e-12, atol=1e-13, msg=name)


@pytest.mark.parametrize(
    ("processes", "network"),
    # The last batch, of two examples, leaves some of 4 processes without any. Two processes take
    # a column each, four take two for each, and three share both.
    [(2, "plain"), (4, "plain"), (2, "columns"), (3, "columns"), (4, "columns")],
)
def test_processes_equal_one(
    processes: int,
    network: str,
    alone: Callable[[str], dict[str, torch.Tensor]],
    tmp_path: Path,
) -> None:
    worker = ("-m", "tests.support.parallel_worker", "weights", network)
    done = run(*TORCHRUN, f"--nproc-per-node={processes}", *worker)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "weights", alone(network))


@pytest.fixture
def namespaces() -> Iterator[list[str]]:
    """Two network namespaces with a cable between them, as two machines have."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces need root and Debian's package iproute2")
    names = [f"dlproj-{os.getpid()}-{side}" for side in "ab"]
    cable = [f"dlproj{side}" for side in "ab"]
    steps = [f"netns add {name}" for name in names]
    steps.append(f"link add {cable[0]} netns {names[0]} type veth peer {cable[1]} netns {names[1]}")
    for number, (name, end) in enumerate(zip(names, cable, strict=True), start=1):
        steps += [
            f"-n {name} addr add 10.77.0.{number}/24 dev {end}",
            f"-n {name} link set {end} up",
            f"-n {name} link set lo up",
        ]
    try:
        for step in steps:
            done = run("ip", *step.split())
            if done.returncode:
                pytest.skip(f"network namespaces cannot be made here: {done.stderr.strip()}")
        yield names
    finally:
        for name in names:
            run("ip", "netns", "del", name)


def test_two_machines_equal_one(
    namespaces: list[str],
    alone: Callable[[str], dict[str, torch.Tensor]],
    tmp_path: Path,
) -> None:
    machines = [
        subprocess.Popen(
            [
                "ip",
                "netns",
                "exec",
                name,
                *TORCHRUN,
                "--nnodes=2",
                f"--node-rank={rank}",
                "--nproc-per-node=1",
                "--master-addr=10.77.0.1",
                "--master-port=29511",
                "-m",
                "tests.support.parallel_worker",
                "weights",
                "plain",
            ],
            env={
                **environment(),
                "GLOO_SOCKET_IFNAME": f"dlproj{'ab'[rank]}",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, name in enumerate(namespaces)
    ]
    for machine in machines:
        _, err = machine.communicate(timeout=120)
        assert machine.returncode == 0, err
    assert_same(tmp_path / "weights", alone("plain"))


def train(tiny: Path, *flags: object, processes: int = 2) -> list[object]:
    """The command that trains digits with several processes."""
    return [
        *TORCHRUN,
        f"--nproc-per-node={processes}",
        "-m",
        "dlproj",
        "train-digits",
        "--data",
        tiny,
        *TINY_TRAINING,
        *flags,
    ]


def test_the_first_process_alone_writes_and_prints(tiny: Path) -> None:
    done = run(*train(tiny, "--out", "run", "--json"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)  # one document, not one for each process
    assert document == json.loads(Path("run/result.json").read_text())
    assert document["environment"]["processes"] == 2
    single = run(
        sys.executable,
        "-m",
        "dlproj",
        "train-digits",
        "--data",
        tiny,
        *TINY_TRAINING,
        "--out",
        "single",
        "--json",
    )
    expected = json.loads(single.stdout)
    assert document["metrics"]["parameters"] == expected["metrics"]["parameters"]
    losses = [
        [json.loads(line)["loss"] for line in Path(name, "metrics.jsonl").read_text().splitlines()]
        for name in ("run", "single")
    ]
    assert len(losses[0]) == len(losses[1]) == 20
    # In single precision the order of additions tells after a while; the first steps agree.
    assert losses[0][:3] == pytest.approx(losses[1][:3], abs=1e-3)


@pytest.mark.parametrize("command", ["train-regression", "train-langid"])
def test_other_commands_train_together(command: str, tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text(
        "word,label\n" + "".join(f"{'ab'[i % 2]}{i:05b},{i % 2}\n" for i in range(400))
    )
    data = ["--data", words] if command == "train-langid" else []
    done = run(
        *TORCHRUN,
        "--nproc-per-node=2",
        "-m",
        "dlproj",
        command,
        *data,
        "--epochs",
        "1",
        "--no-plots",
        "--quiet",
        "--device",
        "cpu",
        "--out",
        "run",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("run/result.json").read_text())["environment"]["processes"] == 2


@pytest.mark.parametrize("late", [0, 1])
def test_what_cannot_be_shared_is_refused_once(late: int, tiny: Path) -> None:
    attack = f"exec {sys.executable} -m dlproj attack --data {tiny}"
    worker = ("bash", "-c", f"[ $RANK != {late} ] || sleep 2; {attack}")
    done = run(*TORCHRUN, "--nproc-per-node=2", "--no-python", *worker)
    assert done.returncode == 1
    (line,) = own_lines(done.stderr)
    assert "runs in one process" in line
    assert not Path("runs").exists()


def start_and_kill_one(tiny: Path, *flags: str) -> tuple[subprocess.Popen[str], Path]:
    """A training of two processes, the second of which dies after some steps."""
    command = train(tiny, "--out", "run", "--epochs", "30", "--recipe", "fast")
    command += ["--batch-size", "64", "--checkpoint-every", "5"]
    command[len(TORCHRUN) : len(TORCHRUN)] = flags
    launcher = subprocess.Popen(
        [*map(str, command)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(Path("run").glob("checkpoint*")):
        assert launcher.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(_worker_of_rank(1, launcher.pid), signal.SIGKILL)
    return launcher, Path("run")


def _worker_of_rank(rank: int, launcher: int) -> int:
    """The process that torchrun started with this rank."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    for child in children:
        if f"\0RANK={rank}\0".encode() in Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError(f"no process of rank {rank} in {children}")


def test_a_process_that_dies_ends_all_and_the_run_resumes(tiny: Path) -> None:
    launcher, path = start_and_kill_one(tiny)
    _, err = launcher.communicate(timeout=60)
    assert launcher.returncode == 1
    (line,) = own_lines(err)
    # The one that is left learns it from the broken connection, or from torchrun, which ends it.
    reasons = ("another process of this training has ended", "interrupted by SIGTERM")
    assert any(reason in line for reason in reasons), line
    assert "--resume" in line
    assert not (path / "result.json").exists()
    done = run(*TORCHRUN, "--nproc-per-node=2", "-m", "dlproj", "train-digits", "--resume", path)
    assert done.returncode == 0, done.stderr
    assert len((path / "metrics.jsonl").read_text().splitlines()) == 300


DIES_EARLY = """
import os
from torch import nn
from dlproj.training.parallel import member
with member() as group:
    if group.rank:
        os._exit(3)
    group.spread(nn.Linear(2, 1), 1)
"""


def test_a_process_that_dies_before_it_meets_the_others_is_not_waited_for() -> None:
    worker = (sys.executable, "-c", DIES_EARLY)
    done = run(*TORCHRUN, "--nproc-per-node=2", "--no-python", *worker, timeout=25)
    assert done.returncode == 1


def test_torchrun_starts_the_training_again_from_its_checkpoint(tiny: Path) -> None:
    launcher, path = start_and_kill_one(tiny, "--max-restarts=1")
    _, err = launcher.communicate(timeout=120)
    assert launcher.returncode == 0, err
    lines = (path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 301))
    assert [entry.name for entry in Path().iterdir()] == ["run"]

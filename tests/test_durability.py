"""Nothing is lost: killed anywhere, on a full disk, with a flipped bit, by a signal at any time."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dlproj.store.runs import RunDir
from dlproj.store.weights import unpack
from dlproj.training import loop
from tests.conftest import Dlproj, environment
from tests.support import damage

ROOT = Path(__file__).parents[1]


def script(name: str, *arguments: object) -> dict[str, Any]:
    """What one of the scripts of the tests reports."""
    done = subprocess.run(
        [sys.executable, f"tests/{name}.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


COMMAND = """
import signal, sys, threading, time
from pathlib import Path
from dlproj import __main__ as command

def interrupt():
    signal.raise_signal(signal.SIGINT)

def swallow():
    try:
        interrupt()
    except BaseException:
        pass

class Dying:
    def __del__(self):
        interrupt()

def run():
    {body}

command._run = run
command.main()
"""
INSTEAD = {
    "in a destructor": "Dying(); time.sleep(30)",
    "dropped": "swallow(); time.sleep(30)",
    "dropped, at the end": "swallow(); return 0",
    "another exception": "swallow(); raise ValueError('Invalid bounding box')",
    "an error of ours": "swallow(); from dlproj.errors import DlprojError; raise DlprojError('?')",
    "an error of the system": "swallow(); raise BrokenPipeError",
    "an exit": "swallow(); sys.exit(3)",
    "an import": "swallow(); import nosuch",
    "in a thread": "swallow(); t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
    "in another destructor": "Dying.__del__ = lambda self: 1 / 0; swallow(); Dying()",
    "in many destructors": "Dying.__del__ = lambda self: 1 / 0; swallow()\n    while True: Dying()",
    "while another is handled": """
    try:
        1 / 0
    except ZeroDivisionError:
        interrupt()""",
}


def ended(body: str) -> subprocess.CompletedProcess[str]:
    """How a command ends that does so instead of its work."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND.format(body=body)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


@pytest.mark.parametrize("body", INSTEAD.values(), ids=INSTEAD.keys())
def test_whatever_is_raised_after_a_signal_is_the_interruption(body: str) -> None:
    done = ended(body)
    assert (done.returncode, done.stderr) == (130, "dlproj: interrupted by SIGINT\n")


def test_an_interruption_is_not_raised_again_while_things_are_put_in_order(tmp_path: Path) -> None:
    body = """
    try:
        interrupt()
    finally:
        time.sleep(0.2)
        Path("tidy").touch()"""
    assert ended(body).returncode == 130
    assert (tmp_path / "tidy").exists()


def test_a_signal_at_the_very_end_comes_too_late() -> None:
    body = "import atexit; atexit.register(interrupt); print('done'); return 0"
    done = ended(body)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    body = "command.streams.say = lambda line: (interrupt(), print(line)); raise OSError('full')"
    assert (ended(body).returncode, ended(body).stdout) == (1, "dlproj: full\n")


@pytest.mark.parametrize(("kind", "fewest"), [("kill", 50), ("full", 50), ("damaged", 30)])
def test_stopped_at_every_point_where_the_disk_is_touched(
    kind: str, fewest: int, tmp_path: Path
) -> None:
    report = script("support/kill_points", kind, tmp_path)
    assert report["problems"] == {}
    assert report["points"] >= fewest
    assert {"create", "write", "fsync", "rename", "open", "mkdir"} == set(report["names"])


def test_every_training_goes_on_after_a_kill(tmp_path: Path) -> None:
    for name, found in script("support/kill_steps", "some", tmp_path).items():
        assert found == {"killed": 1, "problems": {}}, name


def test_signals_at_any_moment(tmp_path: Path) -> None:
    done = script("support/signal_moments", 6, tmp_path, "train-digits", "attack")
    for name, found in done.items():
        assert found["problems"] == {}, name
        assert found["met"] >= 4
        assert found["resumed"] >= 3


def test_signals_while_figures_are_drawn(tmp_path: Path) -> None:
    (found,) = script("support/signal_drawing", 4, tmp_path, "attack").values()
    assert found["problems"] == {}
    assert found["met"] >= 6


def test_a_signal_while_a_file_is_written_finds_it_whole(
    dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves no other behind."""
    create = tempfile.mkstemp
    for number in range(1, 6):
        calls = count(1)

        def interrupted(calls: Iterator[int] = calls, at: int = number, **more: Any) -> Any:
            made = create(**more)
            if next(calls) == at:
                signal.raise_signal(signal.SIGTERM)
            return made

        monkeypatch.setattr(tempfile, "mkstemp", interrupted)
        run = tmp_path / f"my run {number}"
        done = dlproj("train-regression", "--epochs", 1, "--batch-size", 1024, "--out", run)
        assert (done.code, done.err.splitlines()[-1]) == (
            143,
            f"dlproj: interrupted by SIGTERM; go on with: dlproj train-regression --resume '{run}'",
        )
        assert [path for path in run.rglob(".*") if path.name != ".lock"] == []
        monkeypatch.setattr(tempfile, "mkstemp", create)
        again = shlex.split(done.err.partition("go on with: dlproj ")[2])
        assert dlproj(*again, "--no-plots").code == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """As the first checkpoint fits and the second does not."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        command = [
            "train-regression",
            "--epochs",
            "2",
            "--checkpoint-every",
            "1",
            "--quiet",
            "--out",
            str(disk / "run"),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "dlproj", *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "No space left on device" in done.stderr
        checkpoints = [unpack(data) for _, data in RunDir(disk / "run").checkpoints()]
        assert checkpoints
        assert not (disk / "run/result.json").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    command = "train-regression --epochs 1 --batch-size 1024 --no-plots --quiet --json --out"
    subprocess.run(
        [sys.executable, "-m", "dlproj", *command.split(), folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


NAMES = ["config.json", "metrics.jsonl", "result.json", "model.safetensors"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", [damage.flips, damage.cuts])
def test_damage_anywhere_is_noticed_or_harmless(
    how: Callable[[RunDir, str], Iterator[str]], name: str, finished: Path
) -> None:
    run = RunDir(finished)
    assert not damage.is_noticed(run)
    outcomes = Counter(how(run, name))
    assert set(outcomes) <= {"noticed", "harmless"}
    assert outcomes["noticed"] > 100
    assert outcomes["harmless"] == 0 or name == "result.json"
    assert not damage.is_noticed(run)


def test_a_changed_setting_or_record_is_not_resumed(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    command = ("train-digits", "--data", tiny, "--no-plots", "--checkpoint-every", 3)
    for name, old, new, message in (
        ("config.json", '"lr": 0.02', '"lr": 0.03', "config.json: damaged, or changed by hand"),
        ("metrics.jsonl", '"step": 2', '"step": 7', "metrics.jsonl: damaged; start a new run"),
    ):
        assert dlproj(*command, "--out", name).code == 0
        (tmp_path / name / "result.json").unlink()
        file = tmp_path / name / name
        file.write_text(file.read_text().replace(old, new, 1))
        done = dlproj("train-digits", "--resume", name)
        assert (done.code, message in done.err) == (1, True), done.err
        assert not (tmp_path / name / "result.json").exists()


def signals(process: subprocess.Popen[str], *, caught: bool) -> None:
    """Wait until a process handles signals itself, or does so no longer."""
    status, wanted = Path(f"/proc/{process.pid}/status"), 1 << (signal.SIGTERM - 1)
    if not status.exists():
        time.sleep(1)
        return
    while True:
        line = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if bool(int(line.split()[1], 16) & wanted) == caught:
            return
        time.sleep(0.005)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_torch_is_imported(signum: signal.Signals, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dlproj", "train-regression", "--out", "run"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    signals(process, caught=True)
    process.send_signal(signum)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, f"dlproj: interrupted by {signum.name}\n")
    assert not Path("run").exists()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_training_saves_once_and_says_how_to_go_on(
    signum: signal.Signals, code: int, dlproj: Dlproj, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, update = [], loop._update
    write_checkpoint = RunDir.write_checkpoint

    def interrupted(training: loop.Training) -> None:
        if training.step == 4:
            signal.raise_signal(signum)
        update(training)

    def counted(run: RunDir, data: bytes) -> None:
        saved.append(len(data))
        write_checkpoint(run, data)

    monkeypatch.setattr(loop, "_update", interrupted)
    monkeypatch.setattr(RunDir, "write_checkpoint", counted)
    done = dlproj("train-digits", "--data", tiny, "--out", "run", "--quiet")
    assert done.code == code
    assert done.err == (
        f"dlproj: interrupted by {signum.name}; go on with: dlproj train-digits --resume run\n"
    )
    assert len(saved) == 1
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 5


def test_a_run_in_use_is_not_resumed_and_a_second_signal_ends_it(
    dlproj: Dlproj, tiny: Path
) -> None:
    """Whose lock has died with it: it goes on to the same bytes."""
    command = [
        "train-digits",
        "--data",
        str(tiny),
        "--no-plots",
        "--threads",
        "1",
        "--quiet",
        "--checkpoint-every",
        "2",
        "--out",
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, *command, "run"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Path("stuck").exists():
        assert process.poll() is None
        time.sleep(0.01)
    done = dlproj("train-digits", "--resume", "run")
    assert (done.code, done.err) == (1, "dlproj: run: in use by another process\n")
    process.send_signal(signal.SIGINT)
    signals(process, caught=False)
    assert process.poll() is None, "the first signal waits for the step to end"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert dlproj("train-digits", "--resume", "run", "--no-plots").code == 0
    assert dlproj(*command, "whole").code == 0
    for name in ("model.safetensors", "metrics.jsonl", "predictions.safetensors"):
        assert Path("run", name).read_bytes() == Path("whole", name).read_bytes()


STUCK = """
import time
from pathlib import Path
from dlproj.__main__ import main
from dlproj.training import loop

update = loop._update

def stuck(training):
    if training.step == 5:
        Path("stuck").touch()
        while True:
            time.sleep(0.05)
    update(training)

loop._update = stuck
main()
"""

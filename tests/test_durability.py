"""Nothing is lost: killed anywhere, on a full disk, with a flipped bit, by a signal at any time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlproj.errors import DlprojError
from dlproj.experiments.verify import check_files
from dlproj.output.run_dir import RunDir
from tests.conftest import Dlproj, environment

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("kind", ["kill", "full"])
def test_stopped_at_every_point_where_the_disk_is_touched(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "tests/kill_points.py", kind, tmp_path],
        cwd=ROOT, env={**environment(), "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["problems"] == {}
    assert report["points"] >= 50
    assert {"create", "write", "fsync", "rename", "open", "mkdir"} == set(report["names"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    command = "train-regression --epochs 1 --batch-size 1024 --no-plots --quiet --json --out"
    subprocess.run([sys.executable, "-m", "dlproj", *command.split(), folder], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return folder


def is_noticed(run: RunDir) -> bool:
    try:
        result = run.result
        if result is None:
            return True
        check_files(run, result)
    except DlprojError as error:
        return "damaged" in str(error)
    return False


NAMES = ["config.json", "metrics.jsonl", "result.json", "model.safetensors"]


@pytest.mark.parametrize("name", NAMES)
def test_every_flipped_byte_is_noticed_or_harmless(name: str, finished: Path) -> None:
    file, run = finished / name, RunDir(finished)
    original, meant = file.read_bytes(), run.result
    assert not is_noticed(run)
    with file.open("r+b", buffering=0) as handle:
        for place, byte in enumerate(original):
            os.pwrite(handle.fileno(), bytes([byte ^ (0x01 if place % 2 else 0x20)]), place)
            assert is_noticed(run) or (name == "result.json" and run.result == meant), place
            os.pwrite(handle.fileno(), bytes([byte]), place)
    assert file.read_bytes() == original


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_noticed_or_harmless(name: str, finished: Path) -> None:
    file, run = finished / name, RunDir(finished)
    original, meant = file.read_bytes(), run.result
    try:
        for size in reversed(range(len(original))):
            os.truncate(file, size)
            assert is_noticed(run) or (name == "result.json" and run.result == meant), size
    finally:
        file.write_bytes(original)


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


MOMENTS = [0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("command", ["train-digits", "attack"])
def test_signals_at_any_moment(command: str, tiny: Path, tmp_path: Path) -> None:
    """Start-up, training, evaluation and figures pass within these seconds."""
    ended = set()
    for number, moment in enumerate(MOMENTS):
        signum = (signal.SIGINT, signal.SIGTERM)[number % 2]
        process = subprocess.Popen(
            [sys.executable, "-m", "dlproj", command, "--data", tiny, "--out", f"run{number}"],
            cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        wait_for_handler(process)
        time.sleep(moment)
        process.send_signal(signum)
        _, err = process.communicate(timeout=60)
        ended.add(process.returncode)
        finished = (tmp_path / f"run{number}/result.json").exists()
        # A signal that comes while Python itself takes leave finds no handler any more.
        assert process.returncode in {0, 128 + signum} or (finished and process.returncode < 0), err
        assert "Traceback" not in err
        if process.returncode > 0:
            assert f"interrupted by {signum.name}" in err.splitlines()[-1]
        if "--resume" in err:
            assert (tmp_path / f"run{number}/config.json").exists()
        else:
            assert finished or not (tmp_path / f"run{number}").exists()
    assert {130, 143} <= ended


def wait_for_handler(process: subprocess.Popen[str]) -> None:
    """Until Python itself is up and dlproj handles signals; before that, they simply end it."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(0.5)
        return
    wanted = 1 << (signal.SIGTERM - 1)
    while True:
        line = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
        if int(line.split()[1], 16) & wanted:
            return
        time.sleep(0.005)


def test_a_second_signal_ends_at_once(tiny: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, "train-digits", "--data", tiny, "--out", "run", "--no-plots"],
        cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (tmp_path / "stuck").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, "the first signal waits for the step to end"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT


STUCK = """
import time
from pathlib import Path
from dlproj.__main__ import main
from dlproj.training import loop

def forever(*_):
    Path("stuck").touch()
    while True:
        time.sleep(0.05)

loop._update = forever
main()
"""

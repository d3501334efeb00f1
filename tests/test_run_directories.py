"""The directories of runs: one for each command at a time, and nothing outside is touched."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import Dlproj, environment


def test_twenty_at_a_time_get_twenty_directories(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWENTY],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0] * 20
    results = tmp_path.glob("runs/train-regression/*/result.json")
    assert {path.parent.name for path in results} == {str(number) for number in range(1, 21)}


TWENTY = """
from pathlib import Path
from tests.support.forked import dlproj, start, wait, warm_up

warm_up(Path("warm"))
line = "train-regression --epochs 1 --batch-size 1024 --no-plots --quiet".split()
started = [start(Path(), lambda: dlproj(*line)) for _ in range(20)]
print([wait(process) for process in started])
"""


def test_nothing_outside_a_run_is_read_or_written(dlproj: Dlproj, tmp_path: Path) -> None:
    """Whatever part of it is a link."""
    start = ("train-regression", "--epochs", 1, "--batch-size", 1024, "--no-plots", "--out", "run")
    assert dlproj(*start).code == 0
    outside = tmp_path / "outside"
    outside.mkdir()
    run = tmp_path / "run"
    result = (run / "result.json").read_bytes()
    for name in ("metrics.jsonl", "config.json", ".lock", "checkpoint", "result.json", "seed-0"):
        (run / "result.json").unlink(missing_ok=True)
        kept = run / name
        if kept.exists():
            kept.rename(outside / name)
        else:
            (outside / name).write_bytes(result)
        kept.symlink_to(outside / name)
        before = {path: path.stat().st_mtime_ns for path in outside.rglob("*")}
        for line in (("train-regression", "--resume", "run"), ("verify", "run")):
            done = dlproj(*line)
            assert (done.code, done.err.count("\n")) == (1, 1), done.err
            assert "a link or device, which no run holds" in done.err
        assert {path: path.stat().st_mtime_ns for path in outside.rglob("*")} == before
        kept.unlink()
        (outside / name).rename(kept)
        (run / "result.json").write_bytes(result)

"""Studies: the same results from every engine, nothing done twice, and what ends them."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlproj.configuration.grid import SweepConfig
from dlproj.experiments.sweep import rank
from tests.conftest import Dlproj, environment

SEEDS = ("train-regression", "--epochs", 3, "--seeds", 3, "--threads", 1, "--no-plots", "--json")


def weights(study: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(study)): path.read_bytes()
        for path in sorted(study.rglob("model.safetensors"))
    }


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a Dask scheduler with a worker, which has two threads, in this process."""
    distributed = pytest.importorskip("distributed", reason="pip install 'dlproj[cluster]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Dask's own
        with distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            host="127.0.0.1",
            protocol="tcp://",
            dashboard_address=None,
        ) as cluster:
            yield cluster.scheduler_address


def test_every_engine_comes_to_the_same(dlproj: Dlproj, cluster: str, tmp_path: Path) -> None:
    one = dlproj(*SEEDS, "--jobs", 1, "--out", "one")
    two = dlproj(*SEEDS, "--jobs", 2, "--out", "two")
    dask = dlproj(*SEEDS, "--cluster", cluster, "--out", "dask")
    alone = dlproj(*SEEDS, "--seeds", 1, "--seed", 2, "--out", "alone")
    assert (one.code, two.code, dask.code, alone.code) == (0, 0, 0, 0), two.err + dask.err
    assert one.json["metrics"] == two.json["metrics"] == dask.json["metrics"]
    assert len(weights(tmp_path / "one")) == 3
    assert weights(tmp_path / "one") == weights(tmp_path / "two") == weights(tmp_path / "dask")
    assert weights(tmp_path / "alone") == {
        "model.safetensors": weights(tmp_path / "one")["seed-2/model.safetensors"]
    }
    assert sorted(line.split()[0] for line in two.err.splitlines()[:3]) == [
        "seed-0",
        "seed-1",
        "seed-2",
    ]


def test_the_ablation_comes_to_the_same(dlproj: Dlproj, tiny: Path) -> None:
    command = ("ablate-batchnorm", "--data", tiny, "--seeds", 1, "--lr", 0.02, "--images", 320)
    one, two = (dlproj(*command, "--no-plots", "--json", "--jobs", jobs) for jobs in (1, 2))
    assert one.code == two.code == 0, two.err
    assert one.json["metrics"] == two.json["metrics"]
    assert one.json["environment"]["threads"] == two.json["environment"]["threads"]


SWEEP = (
    "sweep",
    "train-digits",
    "--validation",
    100,
    "--lr",
    "0.02,1000",
    "--batch-size",
    "32,64",
    "--batchnorm",
    "no",
    "--no-plots",
)


def test_a_sweep_ranks_its_cells_and_does_none_twice(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(*SWEEP, "--data", tiny, "--json", "--out", "run")
    assert done.code == 0, done.err
    cells = done.json["metrics"]["cells"]
    assert [cell["rank"] for cell in cells] == [1, 2, 3, 4]
    assert [cell["diverged"] for cell in cells] == [0, 0, 1, 1]
    assert cells[0]["score"]["mean"] >= cells[1]["score"]["mean"]
    assert cells[0]["settings"]["lr"] == 0.02
    assert "test_accuracy" in done.json["metrics"]["best"]
    rows = list(csv.DictReader((tmp_path / "run/cells.csv").read_text().splitlines()))
    assert [row["folder"] for row in rows] == [cell["name"] for cell in cells]
    again = dlproj("sweep", "--config", "run", "--lr", "1000", "--no-plots", "--json")
    assert [cell["diverged"] for cell in again.json["metrics"]["cells"]] == [1, 1]

    for name in ("", cells[1]["name"]):
        (tmp_path / "run" / name / "result.json").unlink()
    kept = tmp_path / "run" / cells[0]["name"] / "result.json"
    before = kept.stat().st_mtime_ns
    resumed = dlproj("sweep", "--resume", "run", "--no-plots", "--json")
    assert resumed.code == 0, resumed.err
    assert kept.stat().st_mtime_ns == before
    assert [cell["score"] for cell in resumed.json["metrics"]["cells"]] == [
        cell["score"] for cell in cells
    ]
    assert "--resume goes on" in dlproj("sweep", "--resume", "run", "--lr", 1).err


def test_a_sweep_over_seeds_leaves_runs_to_report_and_compare(
    dlproj: Dlproj, tmp_path: Path
) -> None:
    done = dlproj(
        "sweep",
        "train-regression",
        "--lr",
        "0.01,0.05",
        "--epochs",
        2,
        "--seeds",
        2,
        "--out",
        "run",
    )
    assert done.code == 0, done.err
    assert "means of 2 seeds" in done.out
    assert (tmp_path / "run/sweep.png").stat().st_size > 10_000
    cells = ["run/lr=0.01", "run/lr=0.05"]
    compared = dlproj("compare", *cells, "--json")
    assert compared.json["settings"] == {"lr": [0.01, 0.05]}
    assert dlproj("compare", "run", "run").code == 0
    assert dlproj("report", "run", "--quiet").code == 0
    assert dlproj("verify", cells[0]).code == 0


def test_cells_are_ranked_by_validation_not_by_test() -> None:
    config = SweepConfig(experiment="train-digits", grid={"lr": (0.01, 0.02)})
    assert config.grid["validation"] == (5000,)

    def ended(validation: float, test: float) -> list[dict[str, Any]]:
        metrics = {"validation_accuracy": validation, "test_accuracy": test}
        return [{"metrics": metrics, "timing": {"train_seconds": 1}, "config": {"seed": 0}}]

    by_cell = {"lr=0.01": ended(0.98, 0.90), "lr=0.02": ended(0.97, 0.99)}
    ranked = rank(config, "validation_accuracy", by_cell)
    assert [cell["name"] for cell in ranked] == ["lr=0.01", "lr=0.02"]
    ranked = rank(
        config,
        "validation_loss",
        {
            name: [
                {**one[0], "metrics": {"validation_loss": one[0]["metrics"]["validation_accuracy"]}}
            ]
            for name, one in by_cell.items()
        },
    )
    assert [cell["name"] for cell in ranked] == ["lr=0.02", "lr=0.01"]


def test_a_seed_that_diverges_is_named_and_the_others_are_kept(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(
        "train-digits",
        "--data",
        tiny,
        "--no-batchnorm",
        "--lr",
        1000,
        "--seeds",
        2,
        "--quiet",
        "--no-plots",
        "--out",
        "run",
    )
    assert done.code == 1
    assert done.err.startswith("dlproj: seed-0: ")
    assert "no longer finite at step" in done.err
    assert done.err.count("\n") == 1


STUDY = ("train-regression", "--epochs", "60", "--seeds", "2", "--no-plots")


def start(out: Path) -> subprocess.Popen[str]:
    """A study of two seeds, far from its end, each with a checkpoint."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "dlproj",
            *STUDY,
            "--jobs",
            "2",
            "--checkpoint-every",
            "1",
            "--out",
            out,
        ],
        cwd=out.parent,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while len(list(out.glob("seed-*/checkpoint/training.safetensors"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def children(process: subprocess.Popen[str]) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(child) for child in text.split()]


def assert_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{process}/cwd").exists() for process in processes):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_study_of_two_jobs_that_is_ended_goes_on_to_the_same_bytes(
    dlproj: Dlproj, tmp_path: Path
) -> None:
    assert dlproj(*STUDY, "--out", "whole").code == 0
    for signum, code in ((signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        out = tmp_path / signum.name
        process = start(out)
        own = children(process)
        process.send_signal(signum)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert_gone(own)
        if signum == signal.SIGTERM:
            (line,) = err.splitlines()[-1:]
            assert line.endswith(f"go on with: dlproj train-regression --resume {out}")
        for records in out.glob("seed-*/metrics.jsonl"):
            assert 0 < len(records.read_text().splitlines()) < 960
        resumed = dlproj("train-regression", "--resume", out, "--no-plots")
        assert resumed.code == 0, resumed.err
        assert weights(out) == weights(tmp_path / "whole")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_process_that_is_killed_ends_the_study_in_one_line(tmp_path: Path) -> None:
    process = start(tmp_path / "run")
    own = children(process)
    workers = [one for one in own if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "dlproj: seed-0 or seed-1: its process has ended" in err
    assert "Traceback" not in err
    assert_gone(own)
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["seeds"] == 2

"""`verify` and `doctor`: what they find, and what they say of it."""

import json
from pathlib import Path

import pytest

from dlproj.data import words
from dlproj.reports.verify import likely_cause
from dlproj.store.runs import RunDir, seal
from tests.conftest import Dlproj


@pytest.fixture
def run(dlproj: Dlproj, tmp_path: Path) -> Path:
    done = dlproj("train-regression", "--epochs", 3, "--seeds", 2, "--no-plots", "--out", "run")
    assert done.code == 0, done.err
    return tmp_path / "run"


def test_a_run_computed_again_is_identical(run: Path, dlproj: Dlproj) -> None:
    before = sorted(run.rglob("*"))
    done = dlproj("verify", run, "--json")
    assert done.code == 0, done.err
    assert done.json["identical"]
    assert sorted(run.rglob("*")) == before
    assert "identical" in dlproj("verify", run).out


def test_verify_names_the_first_difference_and_its_cause(run: Path, dlproj: Dlproj) -> None:
    """A run that says another seed and torch than it was made with."""
    config = json.loads((run / "config.json").read_text())
    config["lr"] = 0.011
    del config["sha256"]
    (run / "config.json").write_text(json.dumps(seal(config)))
    found = RunDir(run)
    result = found.result
    assert result is not None
    del result["sha256"]
    result["environment"]["torch"] = "1.0"
    result["files"] = found.digests()
    (run / "result.json").write_text(json.dumps(seal(result)))
    done = dlproj("verify", run)
    assert done.code == 1
    assert "different" in done.out
    assert "epoch 1, step 1" in done.out
    assert "torch was 1.0" in done.out
    assert "came out differently" in done.err


def test_verify_finds_a_changed_file_first(run: Path, dlproj: Dlproj) -> None:
    seed = run / "seed-0"
    assert dlproj("verify", seed).code == 0
    weights = (seed / "model.safetensors").read_bytes()
    (seed / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    done = dlproj("verify", seed)
    assert done.code == 1
    assert "model.safetensors: damaged, or changed by hand" in done.err
    (seed / "model.safetensors").unlink()
    assert "model.safetensors: missing" in dlproj("verify", seed).err


def test_the_likeliest_cause_comes_first() -> None:
    assert likely_cause({"torch": ["1", "2"], "threads": [1, 2]}) == "threads was 1, is 2"
    assert likely_cause({"dlproj": ["0.1", "0.2"]}) == "dlproj was 0.1, is 0.2"
    assert "another processor" in likely_cause({})


def test_a_sound_installation(dlproj: Dlproj) -> None:
    done = dlproj("doctor", "--json")
    assert done.code == 0, done.err
    assert done.json["ok"]
    checks = {check["name"]: check for check in done.json["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert "70,000 images" in checks["shipped images"]["detail"]
    assert checks["torch"]["detail"].startswith("2.")
    assert "WRONG" not in dlproj("doctor").out


def test_doctor_finds_damaged_data(dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "SHA256", dict.fromkeys(words.SHA256, "0" * 64))
    done = dlproj("doctor")
    assert done.code == 1
    assert "WRONG" in done.out
    assert "faults" in done.err

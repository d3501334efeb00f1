"""What a run records, read by TensorBoard and by pandas."""

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import Dlproj

TRAINING = ("train-digits", "--epochs", 2, "--validation", 40, "--threads", 1, "--no-plots")


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of each tag, as TensorBoard reads the event files."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="the extra `tensorboard` is not installed",
    ).EventAccumulator(str(run), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {
        tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def test_event_files_hold_every_record_once_also_of_a_resumed_run(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    training, run = (*TRAINING, "--data", tiny, "--checkpoint-every", 4), tmp_path / "run"
    assert dlproj(*training, "--out", "plain").code == 0
    assert dlproj(*training, "--out", "run", "--tensorboard").code == 0
    whole = scalars(run)
    (run / "result.json").unlink()
    (run / "checkpoint/training.safetensors").unlink()
    done = dlproj("train-digits", "--resume", "run", "--tensorboard", "--no-plots", "--json")
    assert done.code == 0, done.err
    assert scalars(run) == whole
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert set(whole) == {"loss", "lr", "accuracy", "validation_accuracy"}
    for tag, points in whole.items():
        expected = {record["step"]: record[tag] for record in records if tag in record}
        assert dict(points) == pytest.approx(expected)
        assert len(points) == len(expected)
    plain = json.loads((tmp_path / "plain/result.json").read_text())
    assert done.json["files"] == plain["files"]


def test_seeds_have_event_files_each(dlproj: Dlproj, tiny: Path, tmp_path: Path) -> None:
    done = dlproj("train-digits", "--data", tiny, "--seeds", 2, "--tensorboard", "--no-plots")
    assert done.code == 0, done.err
    for seed in (0, 1):
        assert len(scalars(tmp_path / f"runs/train-digits/1/seed-{seed}")["loss"]) == 10


@pytest.mark.parametrize("command", ["train-digits", "train-regression", "train-langid"])
def test_without_the_extra_nothing_is_begun(
    command: str, dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])  # where packages not imported yet are looked for
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    done = dlproj(command, "--tensorboard")
    assert done.code == 1
    assert done.err == (
        "dlproj: --tensorboard needs another package: "
        "pip install -c constraints.txt '.[tensorboard]'\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_commands_without_steps_do_not_take_the_flag(dlproj: Dlproj) -> None:
    for command in ("attack", "ablate-batchnorm"):
        assert "has no flag --tensorboard" in dlproj(command, "--tensorboard").err


def test_records_are_a_table_to_pandas(dlproj: Dlproj) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert dlproj("train-regression", "--epochs", 2, "--no-plots", "--out", "run").code == 0
    table = pandas.read_json("run/metrics.jsonl", lines=True)
    assert list(table.columns) == ["epoch", "step", "lr", "loss", "validation_loss"]
    assert list(table.step) == list(range(1, 33))
    assert table.validation_loss.notna().sum() == 2

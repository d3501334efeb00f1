"""Every command from its flags to its run directory, on little data."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image
from safetensors import safe_open

from dlproj.models.files import load_model
from dlproj.store.runs import seal
from dlproj.store.weights import unpack
from tests.conftest import Dlproj
from tests.support import schemas

QUICK: dict[str, tuple[object, ...]] = {
    "train-digits": (),
    "train-regression": ("--epochs", 2),
    "train-langid": ("--epochs", 1, "--data", "words.csv"),
    "attack": ("--epsilon", 0.1),
    "ablate-batchnorm": ("--seeds", 2, "--lr", 0.02, "--lr", 5, "--images", 320),
    "sweep": ("train-regression", "--epochs", 1, "--lr", "0.01,0.02"),
}
FIGURES = {
    "train-digits": {
        "training_curve",
        "confusion_matrix",
        "confidence",
        "mistakes",
        "first_layer",
    },
    "train-regression": {"fit", "training_curve"},
    "train-langid": {"training_curve", "confusion_matrix", "accuracy_by_length", "reliability"},
    "attack": {"confidence", "accuracy_by_epsilon", "gallery"},
    "ablate-batchnorm": {"accuracy_by_rate", "loss_curves"},
    "sweep": {"sweep"},
}


@pytest.fixture(autouse=True)
def _words(tmp_path: Path) -> None:
    text = "\n".join(
        f"{'ab' * (n % 7 + 1)}{n:03d},one\n{'xy' * (n % 5 + 1)}{n:03d},two" for n in range(200)
    )
    (tmp_path / "words.csv").write_text(text)


def line(command: str, tiny: Path) -> tuple[object, ...]:
    """The quick form of a command."""
    pictures = command in {"train-digits", "attack", "ablate-batchnorm"}
    return (command, *QUICK[command], *(("--data", tiny) if pictures else ()))


@pytest.mark.parametrize("command", QUICK)
def test_a_run_leaves_everything_behind(
    command: str, dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(*line(command, tiny), "--json")
    assert done.code == 0, done.err
    jsonschema.validate(done.json, schemas.document(command))
    run = tmp_path / "runs" / command / "1"
    assert json.loads((run / "result.json").read_text()) == done.json
    config = json.loads((run / "config.json").read_text())
    assert config == seal(done.json["config"])
    drawn = {path.stem for path in run.glob("*.png")}
    assert drawn == FIGURES[command]
    for path in run.glob("*.png"):
        with Image.open(path) as figure:
            assert figure.width >= 500
    assert not list(run.rglob(".*.safetensors.*")), "a temporary file is left"
    if command.startswith("train"):
        records = [json.loads(text) for text in (run / "metrics.jsonl").read_text().splitlines()]
        assert [record["step"] for record in records] == list(range(1, len(records) + 1))
        assert (run / "checkpoint").is_dir()
        load_model(run)
        with safe_open(run / "model.safetensors", "pt") as file:
            assert json.loads(file.metadata()["dlproj"])["about"]["network"]


@pytest.mark.parametrize("command", QUICK)
def test_the_same_seed_gives_the_same_bytes_and_config_runs_again(
    command: str, dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    first = dlproj(*line(command, tiny), "--seed", 7, "--no-plots", "--json", "--out", "first")
    again = dlproj(
        command, "--config", "first/config.json", "--no-plots", "--json", "--out", "again"
    )
    other = dlproj(
        command, "--config", "first", "--seed", 8, "--no-plots", "--json", "--out", "other"
    )
    assert (first.code, again.code, other.code) == (0, 0, 0), again.err + other.err
    assert again.json["config"] == first.json["config"]
    assert without_times(again.json["metrics"]) == without_times(first.json["metrics"])
    if command.startswith("train"):
        weights = [
            (tmp_path / run / "model.safetensors").read_bytes()
            for run in ("first", "again", "other")
        ]
        assert weights[0] == weights[1]
        assert weights[0] != weights[2]
        records = [(tmp_path / run / "metrics.jsonl").read_bytes() for run in ("first", "again")]
        assert records[0] == records[1]


def without_times(value: Any) -> Any:
    match value:
        case dict():
            return {key: without_times(item) for key, item in value.items() if key != "seconds"}
        case list():
            return [without_times(item) for item in value]
    return value


@pytest.mark.parametrize("command", ["train-digits", "train-regression", "train-langid"])
def test_seeds_are_summarised_and_kept(
    command: str, dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(*line(command, tiny), "--seeds", 3, "--seed", 5, "--no-plots", "--json")
    assert done.code == 0, done.err
    name = "test_loss" if command == "train-regression" else "test_accuracy"
    summary = done.json["metrics"][name]
    jsonschema.validate(summary, schemas.SUMMARY)
    run = tmp_path / "runs" / command / "1"
    singles = [json.loads((run / f"seed-{seed}" / "result.json").read_text()) for seed in (5, 6, 7)]
    assert summary["values"] == [single["metrics"][name] for single in singles]
    assert summary["mean"] == pytest.approx(sum(summary["values"]) / 3)
    assert dlproj(*line(command, tiny), "--seeds", 2, "--no-plots").code == 0  # its table too


def test_an_existing_folder_is_never_written_to(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    done = dlproj("train-regression", "--epochs", 1, "--out", "mine")
    assert done.code == 1
    assert "--out mine: exists already" in done.err
    assert list((tmp_path / "mine").iterdir()) == []


def test_numbers_go_up(dlproj: Dlproj) -> None:
    quick = ("train-regression", "--epochs", 1, "--no-plots", "--quiet", "--json")
    assert [dlproj(*quick).json["run_dir"] for _ in range(2)] == [
        "runs/train-regression/1",
        "runs/train-regression/2",
    ]


def test_a_pipe_gets_plain_lines(dlproj: Dlproj, tiny: Path) -> None:
    done = dlproj(*line("train-digits", tiny), "--epochs", 2)
    assert "\r" not in done.out + done.err
    assert "\x1b" not in done.out + done.err
    read, *epochs = done.err.splitlines()[:3]
    assert read.startswith(f"read {tiny} (IDX files): 640 training and 300 test images")
    assert [text.split()[1] for text in epochs] == ["1/2", "2/2"]
    assert "test accuracy" in done.out


def test_quiet_is_silent_on_standard_error(dlproj: Dlproj, tiny: Path) -> None:
    done = dlproj(*line("train-digits", tiny), "--quiet", "--no-plots")
    assert done.err == ""
    assert "test accuracy" in done.out


def test_the_config_of_another_command_is_refused(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"command": "attack"}')
    done = dlproj("train-digits", "--config", "config.json")
    assert done.code == 1
    assert "belongs to attack, not to train-digits" in done.err


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{", 1, "not a JSON file"),
        ("[1]", 1, "one JSON object"),
        ('{"lr": "x"}', 2, "--lr must be"),
        ('{"lr": -1}', 2, "--lr must be a number above 0"),
        ('{"nosuch": 1}', 2, "--nosuch"),
        ('{"recipe": 3}', 2, "--recipe"),
    ],
)
def test_a_bad_config_is_one_line(
    text: str, code: int, message: str, dlproj: Dlproj, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text(text)
    done = dlproj("train-digits", "--config", "bad.json")
    assert (done.code, message in done.err, done.err.count("\n")) == (code, True, 1), done.err


def test_divergence_is_one_line_and_keeps_the_run(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(
        *line("train-digits", tiny), "--lr", 1000, "--no-batchnorm", "--epochs", 5, "--quiet"
    )
    assert done.code == 1
    assert "no longer finite at step" in done.err
    assert "try a lower --lr" in done.err
    assert done.err.count("\n") == 1
    run = tmp_path / "runs/train-digits/1"
    assert not (run / "result.json").exists()
    kept = (run / "checkpoint/training.safetensors").read_bytes()
    tensors, _ = unpack(kept)
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_divergence_is_a_result_of_the_ablation(dlproj: Dlproj, tiny: Path) -> None:
    done = dlproj(
        "ablate-batchnorm",
        "--data",
        tiny,
        "--lr",
        1000,
        "--seeds",
        2,
        "--images",
        200,
        "--no-plots",
        "--json",
    )
    (cell,) = done.json["metrics"]["cells"]
    assert cell["without"]["diverged"] == 2
    assert len(cell["without"]["values"]) == 2
    assert "diverge" in done.json["metrics"]["verdict"]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    command = (*line("train-digits", tiny), "--epochs", 2, "--no-plots", "--threads", 1)
    assert dlproj(*command, "--checkpoint-every", 0, "--out", "run").code == 0
    whole = (tmp_path / "run/model.safetensors").read_bytes()
    (tmp_path / "run/result.json").unlink()
    newest = tmp_path / "run/checkpoint/training.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    done = dlproj("train-digits", "--resume", "run", "--no-plots")
    assert done.code == 0
    assert "training.safetensors: damaged" in done.err
    assert (tmp_path / "run/model.safetensors").read_bytes() == whole
    (tmp_path / "run/result.json").unlink()
    for checkpoint in (tmp_path / "run/checkpoint").iterdir():
        checkpoint.write_bytes(b"damaged")
    done = dlproj("train-digits", "--resume", "run", "--no-plots")
    assert done.code == 1
    assert "start a new run" in done.err


def test_resume_names_conflicts_and_leaves_finished_runs_alone(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    assert dlproj(*line("train-digits", tiny), "--no-plots", "--out", "run").code == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.*")}
    done = dlproj("train-digits", "--resume", "run")
    assert done.code == 0
    assert "run is finished" in done.err
    conflict = dlproj("train-digits", "--resume", "run", "--lr", 0.5, "--epochs", 1)
    assert conflict.code == 2
    assert conflict.err.startswith("dlproj: --lr: not what the run in run was started with")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.*")} == before


def test_an_interrupted_study_does_not_repeat_what_is_done(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    whole = dlproj(*line("ablate-batchnorm", tiny), "--no-plots", "--json", "--out", "study")
    records = tmp_path / "study/metrics.jsonl"
    kept = records.read_text().splitlines(keepends=True)[:5]
    records.write_text("".join(kept) + '{"cut sho')
    (tmp_path / "study/result.json").unlink()
    again = dlproj("ablate-batchnorm", "--resume", "study", "--no-plots", "--json")
    assert again.code == 0, again.err
    assert again.json["metrics"] == whole.json["metrics"]
    assert again.err.count("accuracy") == 8 - 5


@pytest.mark.parametrize("recipe", ["report", "fast", "best"])
@pytest.mark.parametrize("command", ["train-digits", "train-langid"])
def test_every_recipe_runs(command: str, recipe: str, dlproj: Dlproj, tiny: Path) -> None:
    if (command, recipe) == ("train-langid", "fast"):
        assert dlproj(command, "--recipe", recipe).code == 2
        return
    done = dlproj(*line(command, tiny), "--recipe", recipe, "--epochs", 1, "--no-plots", "--json")
    assert done.code == 0, done.err
    assert done.json["config"]["recipe"] == recipe
    assert done.json["config"]["epochs"] == 1


def test_held_out_images_are_scored_after_each_epoch(
    dlproj: Dlproj, tiny: Path, tmp_path: Path
) -> None:
    done = dlproj(*line("train-digits", tiny), "--validation", 100, "--epochs", 2, "--json")
    records = [
        json.loads(text)
        for text in (tmp_path / "runs/train-digits/1/metrics.jsonl").read_text().splitlines()
    ]
    validated = [record for record in records if "validation_accuracy" in record]
    assert [record["epoch"] for record in validated] == [1, 2]
    assert validated[-1]["validation_accuracy"] == done.json["metrics"]["validation_accuracy"]
    assert len(records) == 2 * -(-540 // 64)

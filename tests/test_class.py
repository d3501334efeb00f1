"""What a class hands in: ranked by `report`, computed again by `verify`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dlproj.reports.finished import Finished
from dlproj.reports.ranking import rankings
from dlproj.store.runs import seal
from tests.conftest import Dlproj

TRUE = {"ada": 0.03, "ben": 0.02, "cem": 0.01}  # students, and the learning rates they chose


def edit(run: Path, *, sealed: bool, **metrics: Any) -> None:
    """Write other numbers into a result, with a checksum that fits or without."""
    path = run / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    result["metrics"] |= metrics
    if sealed:
        del result["sha256"]
        result = seal(result)
    path.write_text(json.dumps(result), encoding="utf-8")


@pytest.fixture
def handed_in(dlproj: Dlproj, tmp_path: Path) -> Path:
    """Five runs of a curve: three honest ones, one edited, one edited by someone who knows how."""
    folder = tmp_path / "class"
    for name, lr in TRUE.items():
        flags = ("--lr", lr, "--epochs", 2, "--no-plots", "--quiet")
        assert dlproj("train-regression", *flags, "--out", folder / name).code == 0
    for name, copied in (("dan", "ada"), ("eve", "ben")):
        shutil.copytree(folder / copied, folder / name)
        edit(folder / name, sealed=name == "eve", test_loss=1e-9)
    return folder


def test_a_class_is_ranked_and_what_is_damaged_is_left_out(handed_in: Path, dlproj: Dlproj) -> None:
    done = dlproj("report", handed_in, "--out", "class.html", "--json")
    assert done.code == 1
    assert "dan/result.json: damaged, or changed by hand" in done.err
    (left_out,) = done.json["left_out"]
    assert "dan" in left_out
    (ranking,) = done.json["rankings"]
    losses = {
        name: json.loads((handed_in / name / "result.json").read_text())["metrics"]["test_loss"]
        for name in ("ada", "ben", "cem", "eve")
    }
    best_first = sorted(losses, key=losses.__getitem__)
    assert best_first[0] == "eve"  # until it is verified
    assert [(place["rank"], Path(place["run"]).name) for place in ranking["places"]] == [
        *enumerate(best_first, 1)
    ]
    page = Path("class.html").read_text(encoding="utf-8")
    assert "Ranking of train-regression on sin, by test loss" in page
    assert "Left out" in page


def digits(name: str, accuracy: float | list[float], data: str | None = None) -> Finished:
    several = {"values": accuracy} if isinstance(accuracy, list) else accuracy
    seeds = len(accuracy) if isinstance(accuracy, list) else 1
    config = {
        "command": "train-digits",
        "dataset": "mnist",
        "data": data,
        "seed": 0,
        "seeds": seeds,
    }
    result = {
        "command": "train-digits",
        "config": config,
        "metrics": {"test_accuracy": several, "parameters": 10},
        "timing": {"train_seconds": 1.0},
    }
    return Finished(Path(name), result, [])


def test_equal_accuracies_share_a_rank_and_other_data_are_ranked_apart() -> None:
    runs = [
        digits("one", 0.3),
        digits("two", 0.9),
        digits("three", [0.8, 1.0]),  # as good in the mean
        digits("own", 0.99, "photos"),
    ]
    (ranking,) = rankings(runs)  # of "own" there is but one
    assert [(place.rank, str(place.run.path)) for place in ranking.places] == [
        (1, "two"),
        (1, "three"),
        (3, "one"),
    ]
    assert ranking.data == ""
    assert ranking.table.rows[1][:4] == ["1. three", "90.00%", "14.14%", "2"]
    assert [each.data for each in rankings([*runs, digits("too", 0.1, "photos")])] == ["", "photos"]


def test_verify_finds_both_who_edited_their_result(handed_in: Path, dlproj: Dlproj) -> None:
    done = dlproj("verify", handed_in, "--json")
    assert done.code == 1
    found = {Path(each["run"]).name: each for each in done.json["runs"]}
    assert {name for name, each in found.items() if each["identical"]} == TRUE.keys()
    assert found["eve"]["weights_identical"]
    assert found["eve"]["first_number"]["name"] == "test_loss"
    assert found["eve"]["first_number"]["saved"] == 1e-9
    assert "damaged, or changed by hand" in found["dan"]["error"]
    one = dlproj("verify", handed_in / "eve")
    assert one.code == 1
    assert "the network is the same to the byte, so result.json was changed by hand" in " ".join(
        one.out.split()
    )


def test_honest_runs_pass_together(handed_in: Path, dlproj: Dlproj) -> None:
    done = dlproj("verify", handed_in / "ada", handed_in / "cem")
    assert done.code == 0, done.err
    assert done.out.count("identical") == 2

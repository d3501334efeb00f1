"""A few real trainings: the numbers that the README promises."""

import statistics
from pathlib import Path

from tests.conftest import Dlproj


def test_the_two_uses_the_project_was_asked_for(dlproj: Dlproj) -> None:
    done = dlproj("train-digits", "--lr", 0.02, "--momentum", 0.92, "--json")
    assert done.json["metrics"]["test_accuracy"] >= 0.989
    done = dlproj("attack", "--epsilon", 0.1, "--json")
    assert done.json["metrics"]["clean_accuracy"] >= 0.989
    (row,) = done.json["metrics"]["attacks"]
    assert row["accuracy"] < done.json["metrics"]["clean_accuracy"] - 0.05


def test_standard_language_recipe_on_the_courses_words(dlproj: Dlproj, course: Path) -> None:
    done = dlproj(
        "train-langid", "--data", course / "lang_id.npz", "--seeds", 3, "--no-plots", "--json"
    )
    assert statistics.mean(done.json["metrics"]["test_accuracy"]["values"]) >= 0.91

"""Curves: data and recipes."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dlproj.data.regression import FUNCTIONS, load_curve
from dlproj.data.text.numbers import is_name
from dlproj.dialect import Dialect
from dlproj.errors import DlprojError
from tests.conftest import Dlproj


def test_the_courses_points() -> None:
    curve = load_curve()
    assert [len(part.x) for part in (curve.train, curve.validation, curve.test)] == [2048, 200, 257]
    assert curve.test.x[0].item() == -2 * math.pi
    assert curve.test.x[-1].item() == 2 * math.pi
    torch.testing.assert_close(curve.test.y, torch.sin(curve.test.x))


CLOSED: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "sin3x": lambda x: math.sin(3 * x),
    "abs": math.fabs,
    "gauss": lambda x: math.e ** -(x * x),
    "sinc": lambda x: math.sin(math.pi * x) / (math.pi * x),
    "sawtooth": lambda x: x / math.pi - math.floor(x / math.pi),
    "square": lambda x: 1 if math.sin(x) > 0 else -1,
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_what_its_name_says(function: str) -> None:
    """Of the validation points, only the ends are at jumps of sawtooth and square."""
    points = load_curve(function).validation
    assert points.x.dtype == points.y.dtype == torch.float64
    x = points.x[1:-1, 0].tolist()
    assert x == pytest.approx([-2 * math.pi + 4 * math.pi * n / 199 for n in range(1, 199)])
    assert points.y[1:-1, 0].tolist() == pytest.approx([CLOSED[function](each) for each in x])
    assert points.y.isfinite().all()


def test_of_a_file_each_third_and_eighth_row_of_ten_is_held_out(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("".join(f"{39 - n},{n}\n" for n in range(40)))
    curve = load_curve(path=tmp_path / "own.csv")
    held = {place + tens for place in (2, 7) for tens in (0, 10, 20, 30)}
    assert curve.validation.x[:, 0].tolist() == [2, 12, 22, 32]
    assert curve.test.x[:, 0].tolist() == [7, 17, 27, 37]
    assert curve.train.x[:, 0].tolist() == [n for n in range(40) if n not in held]
    for part in (curve.train, curve.validation, curve.test):
        assert part.y.equal(39 - part.x)
    assert "4 test rows: an error of so few says little" in curve.notes.remarks
    (tmp_path / "own.csv").write_text("".join(f"{n},{n}\n" for n in range(100)))
    assert not load_curve(path=tmp_path / "own.csv").notes.remarks


def test_the_standard_recipe_reaches_its_bar(dlproj: Dlproj) -> None:
    done = dlproj("train-regression", "--seeds", 3, "--no-plots", "--json")
    assert max(done.json["metrics"]["test_loss"]["values"]) < 1e-4


def test_the_best_recipe_reaches_its_bar(dlproj: Dlproj) -> None:
    done = dlproj("train-regression", "--recipe", "best", "--no-plots", "--json")
    assert done.json["metrics"]["test_loss"] < 1e-8
    assert done.json["metrics"]["test_mse"] == 2 * done.json["metrics"]["test_loss"]


def test_own_points_in_any_units(dlproj: Dlproj, tmp_path: Path) -> None:
    rows = [(1e6 + x / 10, 500 + 300 * math.sin(x / 40)) for x in range(400)]
    (tmp_path / "own.csv").write_text("time,value\n" + "\n".join(f"{x},{y}" for x, y in rows))
    done = dlproj("train-regression", "--data", "own.csv", "--json")
    assert done.code == 0, done.err
    assert done.json["metrics"]["max_abs_error"] < 0.1 * 600


@pytest.mark.parametrize("header", ["y,x", '{"y": 0, "x": 0}'])
def test_columns_are_taken_by_their_names_in_any_order(header: str, tmp_path: Path) -> None:
    path, rows = tmp_path / "own.csv", [(number, number**2) for number in range(30)]
    if header == "y,x":
        lines = [header, *(f"{y},{x}" for x, y in rows)]
    else:
        lines = [json.dumps({"y": y, "x": x}) for x, y in rows]
    path.write_text("\n".join(lines))
    curve = load_curve(path=path)
    assert curve.train.y.equal(curve.train.x**2)
    assert "x is column x, y is column y" in " ".join(curve.notes.remarks)


def test_points_that_may_divide_thousands_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("x;y\n" + "\n".join(f"{500 * n:,};{n}".replace(",", ".") for n in range(30)))
    with pytest.raises(DlprojError, match=r"1\.000 may have decimals or thousands; say --decimal"):
        load_curve(path=path)
    assert load_curve(path=path, dialect=Dialect(decimal="point")).train.x.max() == 500
    # Three decimals in all, or in none that could be thousands, are what they seem.
    for write in ("{:.3f}", "{:g}"):
        path.write_text("\n".join(f"{n};" + write.format(n / 8) for n in range(30)))
        assert load_curve(path=path).train.y.max() == 29 / 8


@pytest.mark.parametrize(
    ("x", "y", "refused"),
    [(1.7e9, 0, "x"), (0, 1e9, "y"), (-2_460_000.5, 0, "x"), (2e4, 0, None), (0, -1e4, None)],
)
def test_points_that_single_precision_cannot_tell_apart_are_refused(
    x: float, y: float, refused: str | None, dlproj: Dlproj, tmp_path: Path
) -> None:
    rows = [f"{x + n / 50!r},{y + math.sin(n / 50)!r}" for n in range(400)]
    (tmp_path / "own.csv").write_text("\n".join(rows))
    done = dlproj("train-regression", "--data", "own.csv", "--epochs", 1, "--no-plots")
    assert done.code == (1 if refused else 0), done.err
    if refused:
        assert f"own.csv: {refused} goes from" in done.err
        best = ("--recipe", "best", "--epochs", 1, "--no-plots")
        assert dlproj("train-regression", "--data", "own.csv", *best).code == 0


BAD = {
    "few": ("1,2\n" * 5, "5 rows; at least 20 are needed"),
    "words": ("x,y\n1,2\na,b\n", "line 3: must be two numbers"),
    "three": ("1,2,3\n", "line 1: must be x,y, but has 3 columns"),
    "infinite": ("x,y\n1,inf\n", "line 2: must be two numbers"),
    "same": ("1,2\n" * 30, "all x are the same"),
    "binary": ("1,2\n\0\1\2", "no text file"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_what_is_no_curve(name: str, tmp_path: Path) -> None:
    text, message = BAD[name]
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(DlprojError, match=message):
        load_curve(path=path)


@pytest.mark.parametrize("text", ["NA", "n/a", "NaN", "null", "None", "inf", "Infinity"])
def test_what_stands_for_a_missing_number_heads_no_column(text: str) -> None:
    assert not is_name(text)
    assert is_name(f"{text}s")

"""Runs in a notebook: how they show themselves, and their progress."""

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = (
    'import dlproj\nrun = dlproj.train_regression(epochs=3, plots=True, progress=True, out="run")',
    "run",
    "run.figures['fit']",
    "run.to_pandas()[['step', 'loss']]",
    "print([run])",
)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[nbformat.NotebookNode]:
    """The cells of a notebook that was executed in a folder of its own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    folder = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    return list(NotebookClient(notebook, resources=folder, timeout=120).execute().cells)


def test_progress_is_one_line(cells: list[nbformat.NotebookNode]) -> None:
    text = "".join(output.text for output in cells[0].outputs if output.name == "stderr")
    last = text.rstrip("\n").split("\r")[-1]
    assert last.startswith("epoch 3/3  loss ")
    assert text.count("\n") == 1 + text.count("everything is in")


def test_a_run_shows_itself(cells: list[nbformat.NotebookNode]) -> None:
    shown = cells[1].outputs[0].data
    assert "largest error" in shown["text/html"]
    assert shown["text/html"].count("<img ") == 2
    assert shown["text/html"].count("<caption>Result</caption>") == 1
    assert shown["text/plain"].startswith("<train-regression in run: loss 0.")
    assert shown["text/plain"].count("\n") == 0


def test_figures_and_records_are_objects_that_notebooks_show(
    cells: list[nbformat.NotebookNode],
) -> None:
    assert "image/png" in cells[2].outputs[0].data
    assert "<td>48</td>" in cells[3].outputs[0].data["text/html"]
    assert cells[4].outputs[0].text.count("\n") == 1

"""dlproj called from Python: in threads, scripts, notebooks, and whatever modes of torch."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlproj
from tests.conftest import environment

QUICK: dict[str, Any] = {"epochs": 1, "seed": 3}


def loss(**settings: Any) -> float:
    """What a short training comes to."""
    return float(dlproj.train_regression(**{**QUICK, **settings}).metrics["test_loss"])


@contextmanager
def double_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


MODES: dict[str, Callable[[], Any]] = {
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "double precision": double_by_default,
    "autocast": lambda: torch.autocast("cpu"),
    "another default device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes_of_torch_change_nothing(mode: str) -> None:
    usual = loss()
    with MODES[mode]():
        assert loss() == usual
        assert dlproj.predict_langid("through")[0].label == "English"
        weights = next(dlproj.load_model(dlproj.DIGITS).parameters())
        assert weights.device.type == "cpu"
        assert weights.dtype == torch.float32
        assert weights.requires_grad
        assert not weights.is_inference()


def test_trainings_in_threads_come_out_as_in_turn() -> None:
    expected = [loss(seed=seed) for seed in range(3)]
    found: dict[int, float] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: loss(seed=seed)}))
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[seed] for seed in range(3)] == expected


def test_a_run_is_found_from_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    run = dlproj.train_regression(**QUICK)
    again = dlproj.load_run("runs/train-regression/1")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert len(run.records) == len(again.records) == 16
    assert run.model is not None
    assert again == run


def test_numbers_of_numpy_are_numbers() -> None:
    assert loss(seed=np.int64(3), lr=np.float32(0.02), epochs=torch.tensor(1)) == pytest.approx(
        loss(), rel=1e-5
    )
    attack: Any = dlproj.attack
    for epsilon in (0.1, "1/10", np.array([0.1]), [0.1], np.float64(0.1)):
        assert attack(epsilon=epsilon, limit=20).config["epsilon"] == [0.1]


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: dlproj.train_digits(rate=1), "'rate'"),  # type: ignore[call-arg]
    (lambda: dlproj.train_digits("fast"), "positional"),  # type: ignore[call-arg,arg-type]
    (
        lambda: dlproj.train_digits(lr=True),
        "--lr must be a number above 0 and at most 1000, not True",
    ),
    (lambda: dlproj.train_digits(seed=2.5), "--seed"),  # type: ignore[arg-type]
    (lambda: dlproj.train_digits(recipe="Best"), "--recipe must be"),  # type: ignore[arg-type]
    (lambda: dlproj.train_digits(device=3), "--device"),  # type: ignore[arg-type]
    (lambda: dlproj.train_digits(out=3), "--out"),  # type: ignore[arg-type]
    (lambda: dlproj.train_digits(plots="maybe"), "--plots"),  # type: ignore[arg-type]
    (lambda: dlproj.train_digits(data=7), "--data"),  # type: ignore[arg-type]
    (lambda: dlproj.train_regression(jobs=0), "--jobs must be a whole number"),
    (lambda: dlproj.train_regression(recipe="best", lr=0.1), "--lr: nothing uses it"),
    (lambda: dlproj.attack(epsilon=(8,)), "8/255 is 0.0314"),
    (lambda: dlproj.attack(epsilon=()), "--epsilon"),
    (lambda: dlproj.ablate_batchnorm(lr=()), "--lr"),
    (lambda: dlproj.load_run(3), "path must be a path, not 3"),  # type: ignore[arg-type]
    (lambda: dlproj.load_model(None), "path must be a path"),  # type: ignore[arg-type]
    (lambda: dlproj.predict_langid(3), "words must be"),  # type: ignore[arg-type]
    (lambda: dlproj.predict_langid([3]), "word 0"),  # type: ignore[list-item]
    (lambda: dlproj.predict_langid(b"word"), "words must be"),  # type: ignore[arg-type]
    (lambda: dlproj.predict_langid(["a"], model=3), "model must be"),  # type: ignore[arg-type]
    (lambda: dlproj.predict_langid(["a"], device=0), "--device"),  # type: ignore[arg-type]
    (lambda: dlproj.predict_digits(None), "images must be"),  # type: ignore[arg-type]
    (lambda: dlproj.predict_digits(torch.full((2, 28, 28), 256)), "must be in 0..255"),
    (lambda: dlproj.predict_digits(torch.full((1, 28, 28), torch.nan)), "must be finite"),
    (lambda: dlproj.predict_digits(torch.zeros(9, 9)), "not [9, 9]"),
    (lambda: dlproj.to_pixels(torch.zeros(1, 28, 28)), "pictures must be bytes"),
    (lambda: dlproj.load_digits("cifar"), "dataset must be"),
    (lambda: dlproj.load_digits(validation=-1), "validation must be"),
    (lambda: dlproj.load_digits(validation=0.5), "validation must be"),  # type: ignore[arg-type]
    (lambda: dlproj.load_digits(folder=7), "folder must be"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_calls_are_refused(case: int) -> None:
    call, message = WRONG[case]
    with pytest.raises(dlproj.UsageError) as refusal:
        call()
    assert message in str(refusal.value)


def test_a_single_word_is_one_word() -> None:
    (one,) = dlproj.predict_langid("through")
    assert one == dlproj.predict_langid(iter(["through"]))[0]
    assert dlproj.predict_langid([]) == []


def script(tmp_path: Path, code: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "script.py"
    file.write_text(code)
    return subprocess.run(
        [sys.executable, file], capture_output=True, text=True, check=False, env=environment()
    )


def test_a_script_without_a_main_guard(tmp_path: Path) -> None:
    call = "dlproj.train_regression(seeds=2, epochs=1"
    done = script(tmp_path, f"import dlproj\nprint({call}).path)\n")
    assert done.returncode == 0, done.stderr
    done = script(
        tmp_path,
        f"import dlproj\ntry:\n    {call}, jobs=2)\n"
        "except dlproj.UsageError as error:\n    print(error)\n",
    )
    assert done.returncode == 0, done.stderr
    assert 'script.py again: put the call under `if __name__ == "__main__":`' in done.stdout


def test_a_script_with_a_main_guard_trains_side_by_side(tmp_path: Path) -> None:
    done = script(
        tmp_path,
        "import dlproj\nif __name__ == '__main__':\n"
        "    print(dlproj.train_regression(seeds=2, epochs=1, jobs=2).path)\n",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("runs/train-regression/1")


def test_ctrl_c_saves_a_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    done = script(
        tmp_path,
        "import dlproj, os, signal\n"
        "from dlproj.training import loop\n"
        # In the background of a shell, where Ctrl-C is ignored, as at its prompt.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "update = loop._update\n"
        "def interrupted(training):\n"
        "    update(training)\n"
        "    if training.step == 20:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "loop._update = interrupted\n"
        "try:\n"
        "    dlproj.train_regression(epochs=4)\n"
        "except KeyboardInterrupt as stop:\n"
        "    print(stop)\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "loop._update = update\n"
        "run = dlproj.train_regression(resume='runs/train-regression/1')\n"
        "whole = dlproj.train_regression(epochs=4)\n"
        "assert run.metrics == whole.metrics and run.records == whole.records\n",
    )
    assert done.returncode == 0, done.stderr
    hint = "go on with: train_regression(resume='runs/train-regression/1')"
    assert done.stdout.strip() == hint


def test_a_wrong_backend_of_matplotlib_draws_all_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dlproj", "train-regression", "--epochs", "1", "--out", "run"],
        env={**environment(), "MPLBACKEND": "nosuch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/fit.png").exists()

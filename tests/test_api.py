"""dlproj from Python: what it offers, what it leaves alone, and the README's examples."""

import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

import dlproj
from dlproj import api
from tests.conftest import Dlproj

ROOT = Path(__file__).parents[1]
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## From Python\n")[1]
EXAMPLES = re.findall(r"```python\n(.*?)```", SECTION.split("\n## ")[0], re.DOTALL)


@pytest.mark.parametrize("example", range(3))
def test_the_readme_s_examples_run(example: int, capfd: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[example], "README.md", "exec"), {})  # noqa: S102
    assert capfd.readouterr().out


def test_importing_dlproj_imports_nothing_heavy() -> None:
    code = "import dlproj, sys; dir(dlproj); print('torch' in sys.modules, 'typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_the_package_offers_all_of_the_interface() -> None:
    assert dlproj.__all__ == api.__all__
    assert all(getattr(dlproj, name) is getattr(api, name) for name in dlproj.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        dlproj.nosuch  # type: ignore[attr-defined]  # noqa: B018


def test_every_module_has_what_it_offers() -> None:
    offered = {}
    for file in sorted((ROOT / "src").rglob("*.py")):
        name = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
        if "__all__" in file.read_text(encoding="utf-8"):
            module = import_module(name.removesuffix(".__init__"))
            offered[name] = [each for each in module.__all__ if not hasattr(module, each)]
    assert len(offered) > 5
    assert not any(offered.values()), offered


def test_a_function_does_what_the_command_does_and_leaves_the_rest_alone(
    command_line: Dlproj, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command_line("train-regression", "--epochs", 2, "--seed", 7, "--no-plots").code == 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(2)
    random = torch.get_rng_state()
    capfd.readouterr()
    run = dlproj.train_regression(epochs=2, seed=7, out=tmp_path / "run")
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.get_num_threads() == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    weights = [
        (path / "model.safetensors").read_bytes()
        for path in (run.path, tmp_path / "runs/train-regression/1")
    ]
    assert weights[0] == weights[1]
    assert len(run.records) == 32
    assert run.metrics["parameters"] == sum(p.numel() for p in run.model.parameters())
    assert dlproj.load_run(run.path) == run
    dlproj.train_regression(resume="run", progress=True)
    assert capfd.readouterr() == (
        "",
        f"{tmp_path / 'run'} is finished: nothing to do\n".replace(f"{tmp_path}/", ""),
    )


@pytest.fixture
def command_line(dlproj: Dlproj) -> Dlproj:
    """The fixture of a name that here means the package."""
    return dlproj


def test_wrong_settings_are_errors_of_python(tmp_path: Path) -> None:
    with pytest.raises(dlproj.UsageError, match=r"--lr must be a number above 0 and .*, not -1"):
        dlproj.train_digits(lr=-1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'rate'"):
        dlproj.train_digits(rate=1)  # type: ignore[call-arg]
    with pytest.raises(dlproj.UsageError, match="unexpected keyword argument 'jobs'"):
        dlproj.attack(jobs=2)
    with pytest.raises(dlproj.UsageError, match="unexpected keyword argument 'tensorboard'"):
        dlproj.ablate_batchnorm(tensorboard=True)
    with pytest.raises(dlproj.DlprojError, match="exists already"):
        dlproj.train_regression(out=tmp_path)
    with pytest.raises(dlproj.DlprojError, match="nosuch"):
        dlproj.attack(model=Path("nosuch"))
    with pytest.raises(dlproj.UsageError, match="word 1 "):
        dlproj.predict_langid(["hello", " "])
    with pytest.raises(dlproj.UsageError, match=re.escape("not [2, 9, 9]")):
        dlproj.predict_digits(torch.zeros(2, 9, 9))
    assert list(tmp_path.iterdir()) == []


def test_images_in_any_form_are_read_alike() -> None:
    pictures = dlproj.load_digits().test.pictures[:3]
    pixels = dlproj.to_pixels(pictures)
    read = dlproj.predict_digits(pictures)
    assert [digit.label for digit in read] == ["7", "2", "1"]
    assert dlproj.predict_digits(pixels) == dlproj.predict_digits(pixels[:, 0].numpy()) == read

"""The command line: help, wrong use, exit codes, and what it costs to start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Dlproj

TRAINING = ("train-digits", "train-regression", "train-langid", "ablate-batchnorm")
RUNS = (*TRAINING, "sweep", "attack", "predict-digit", "predict-langid")
COMMANDS = (*RUNS, "export", "verify", "report", "compare", "doctor")
HEAVY = {"torch", "torchvision", "matplotlib", "scipy", "numpy", "PIL"}


def imported_by(*arguments: str, of: set[str] = HEAVY) -> set[str]:
    """Which of these packages a command imports."""
    code = (
        "import sys\nsys.argv = ['dlproj', *sys.argv[1:]]\nfrom dlproj.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return of & set(done.stdout.split("MODULES")[1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("train-digits", "--help"),
        ("train-digits", "--lr", "-1"),
        ("sweep", "--help"),
        ("sweep", "train-digits", "--lr", "0.1,-1"),
    ],
)
def test_help_version_and_wrong_flags_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) == set()


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_the_list_of_commands_does_without_rich(flag: str) -> None:
    assert imported_by(flag, of={"rich", "pydantic", "filelock"}) == set()


def test_training_does_import_torch() -> None:
    assert "torch" in imported_by("train-regression", "--epochs", "1", "--quiet", "--no-plots")


def test_version(dlproj: Dlproj) -> None:
    assert dlproj("--version").out == "dlproj 0.1.0\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_every_flag_explained(command: str, dlproj: Dlproj) -> None:
    done = dlproj(command, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert ("--device" in done.out) == (command in RUNS)


def test_help_lists_all_commands(dlproj: Dlproj) -> None:
    out = dlproj("--help").out
    assert all(command in out for command in COMMANDS)


WRONG = [
    ("train-digits --lr -1", "--lr must be greater than 0, not -1.0"),
    ("train-digits --lr nan", "--lr must be a finite number"),
    ("train-digits --lr inf", "--lr must be a finite number"),
    ("train-digits --lr fast", "--lr"),
    ("train-digits --epochs 0", "--epochs must be greater than or equal to 1, not 0"),
    ("train-digits --batch-size 0", "--batch-size must be greater than or equal to 1"),
    ("train-digits --momentum 1.5", "--momentum must be less than 1, not 1.5"),
    ("train-digits --weight-decay -1", "--weight-decay must be greater than or equal to 0"),
    ("train-digits --recipe nosuch", "--recipe"),
    ("train-digits --device gpu", "--device must be auto, cpu, cuda, cuda:N or mps, not 'gpu'"),
    ("train-digits --seed -1", "--seed must be greater than or equal to 0"),
    ("train-digits --seeds 0", "--seeds must be greater than or equal to 1"),
    ("train-digits --schedule slow", "--schedule"),
    ("train-digits --threads -2", "--threads must be greater than or equal to 0"),
    ("train-digits --dataset cifar", "--dataset"),
    ("train-digits --dataset kmnist --data x", "--data and --dataset"),
    ("train-digits --nosuch 1", "No such option: --nosuch"),
    ("train-digits surplus", "unexpected extra argument"),
    ("train-digits --checkpoint-every -1", "--checkpoint-every"),
    ("attack --epsilon -0.1", "--epsilon must be greater than or equal to 0, not -0.1"),
    ("attack --epsilon 8", "--epsilon must be at most 1 in linf"),
    ("attack --epsilon 8", "not 8: 8/255 is 0.0314"),
    ("attack --epsilon 1/0", "--epsilon 1/0: not a number"),
    ("attack --epsilon eight/255", "--epsilon must be a valid number"),
    ("train-digits --adversarial --epsilon 8", "8/255 is 0.0314"),
    (
        "attack --method bim --restarts 2",
        "--restarts: nothing uses it with --method bim, only with",
    ),
    ("attack --method apgd-ce --step-size 1/255", "only with --method bim, pgd or mifgsm"),
    ("attack --steps 3", "--steps: nothing uses it with --method fgsm"),
    ("attack --method square --steps 3", "--steps: nothing uses it with --method square"),
    ("attack --method pgd --queries 9", "only with --method square or ensemble"),
    ("train-digits --epsilon 0.1", "--epsilon: nothing uses it without --adversarial"),
    ("train-digits --steps 5", "--steps: nothing uses it without --adversarial"),
    ("train-digits --network robust --no-batchnorm", "--batchnorm: nothing uses it with --network"),
    *(
        (f"train-regression --recipe best --{given}", "with --optimizer lm, only with --optimizer")
        for given in (
            "lr 0.1",
            "schedule linear",
            "momentum 0.5",
            "beta2 0.9",
            "weight-decay 0.1",
            "batch-size 9",
            "precision bf16",
        )
    ),
    ("train-regression --function cos --data x.csv", "--function: nothing uses it with --data"),
    ("train-langid --recipe best --layers 2", "--layers: nothing uses it with --network ngrams"),
    ("train-langid --network ngrams --no-bidirectional", "--bidirectional: nothing uses it"),
    ("train-langid --longest 3", "--longest: nothing uses it with --network gru"),
    ("sweep train-regression --optimizer lm --lr 0.1,0.2", "--lr: nothing uses it"),
    ("attack --method nosuch", "--method"),
    ("attack --method square --norm l2", "--method square measures --norm linf alone"),
    ("attack --diagnose --epsilon 0", "--diagnose needs an --epsilon above 0"),
    ("attack --steps 0", "--steps must be greater than or equal to 1"),
    ("train-regression --function nosuch", "--function"),
    ("train-langid --dropout 1", "--dropout must be less than 1"),
    ("train-digits --jobs 0", "--jobs"),
    ("train-digits --cluster tcp://127.0.0.1:9", "--cluster spreads several trainings"),
    ("attack --jobs 2", "No such option: --jobs"),
    ("sweep", "COMMAND: name what to train"),
    ("sweep attack", "'attack' is not one of"),
    ("sweep train-digits --lr 0.1,-1", "--lr must be greater than 0, not '-1'"),
    ("sweep train-digits --lr 0.1,0.10", "--lr: names a value twice"),
    ("sweep train-digits --lr 0.1,,1", "--lr: an empty value"),
    (
        "sweep train-digits --network fast,gru",
        "--network must be 'report', 'fast', 'deep' or 'robust'",
    ),
    ("sweep train-digits --hidden 8", "--hidden: not a setting of train-digits"),
    ("sweep train-digits --validation 0", "--validation must be above 0"),
    ("ablate-batchnorm --lr 0.1 --lr 0", "--lr must be greater than 0, not 0.0"),
    ("predict-digit", "IMAGE"),
    ("predict-langid hello --device gpu", "--device must be"),
    ("nosuch", "No such command 'nosuch'"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_wrong_use_is_one_line_and_exit_code_2(
    line: str, message: str, dlproj: Dlproj, tmp_path: Path
) -> None:
    done = dlproj(*line.split())
    assert done.code == 2
    assert message in done.err
    assert done.err.startswith("dlproj: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


IMPOSSIBLE = [
    ("train-digits --device cuda:99", "--device cuda:99: not on this machine, which has cpu"),
    ("train-digits --data nosuch", "nosuch: no such folder"),
    ("train-digits --dataset kmnist", "--dataset kmnist: cannot be downloaded"),
    ("train-digits --config nosuch.json", "nosuch.json: No such file"),
    ("train-digits --resume nosuch", "--resume nosuch: not a run directory"),
    ("train-digits --out /dev/null/x", "--out /dev/null/x: cannot be made"),
    ("train-digits --validation 60000", "--validation 60000: must leave some"),
    ("train-regression --data nosuch.csv", "nosuch.csv: No such file"),
    ("train-langid --data nosuch.npz", "nosuch.npz: No such file"),
    ("attack --model nosuch", "nosuch: No such file"),
    ("predict-digit nosuch.png", "nosuch.png: no such file"),
    ("predict-langid --file nosuch.txt", "nosuch.txt: No such file"),
    ("predict-langid", "no words"),
]


@pytest.mark.parametrize(("line", "message"), IMPOSSIBLE)
def test_what_cannot_be_done_is_one_line_and_exit_code_1(
    line: str, message: str, dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no test reaches the network
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    done = dlproj(*line.split())
    assert (done.code, message in done.err) == (1, True), done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_is_no_traceback(tiny: Path, tmp_path: Path) -> None:
    line = f"{sys.executable} -m dlproj predict-langid hello world | true"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, cwd=tmp_path,
        env=os.environ,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_script(
    shell: str, dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_DLPROJ_COMPLETE", f"source_{shell}")
    done = dlproj()
    assert done.code == 0
    assert "_DLPROJ_COMPLETE" in done.out

"""The command line: help, wrong use, exit codes, and what it costs to start."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dlproj.cli import app
from tests.conftest import Dlproj
from tests.support.imports import imported_by

TRAINING = ("train-digits", "train-regression", "train-langid", "ablate-batchnorm")
RUNS = (*TRAINING, "sweep", "attack", "predict-digit", "predict-langid")
COMMANDS = (*RUNS, "export", "verify", "report", "compare", "doctor")


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


def test_no_words_at_all_give_the_help(dlproj: Dlproj) -> None:
    assert dlproj() == dlproj("--help")


def test_every_flag_refuses_wrong_values_in_our_own_words(dlproj: Dlproj) -> None:
    """All flags of all commands that take a value, without one and with a strange one."""
    commands: Any = get_command(app)
    tried = 0
    for name, command in commands.commands.items():
        for parameter in command.params:
            if parameter.param_type_name != "option" or parameter.is_flag:
                continue
            asked = parameter.opts[0]
            lines = {(name, asked), (name, f"{asked}=")}
            if parameter.name not in PATHS | {"cluster"}:
                lines.add((name, *WITH.get(name, ()), asked, "\x1bstrange"))
            for line in lines:
                done = dlproj(*line)
                assert done.code == 2, (line, done.err)
                assert done.err.count("\n") == 1
                assert done.err.startswith(f"dlproj: {asked}")
                assert re.search("needs a value|must be .*, not |not a setting of", done.err)
                assert not FOREIGN.search(done.err), done.err
                assert "\x1b" not in done.err
                tried += 1
    assert tried > 300


PATHS = {"data", "model", "config", "out", "resume", "strip", "file"}
WITH = {
    "sweep": ("train-digits",),
    "predict-digit": ("x.png",),
    "export": ("run",),
    "build-words": ("--languages", "de,fr", "--out", "words.csv"),
}


def test_version(dlproj: Dlproj) -> None:
    assert dlproj("--version").out == "dlproj 0.1.0\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_every_flag_explained(
    command: str, dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # a line a flag
    done = dlproj(command, "--help")
    assert done.code == 0
    explained = {}
    for line in done.out.splitlines():
        cells = re.split(r"\s{2,}", line.strip("│ "))  # flag, its opposite, type, explanation
        if cells[0].startswith("--"):
            explained[cells[0]] = cells[-1]
    group: Any = get_command(app)
    flags = {flag.opts[-1] for flag in group.commands[command].params if flag.opts[-1][0] == "-"}
    assert explained.keys() == flags | {"--help"}
    assert all(" " in text for text in explained.values()), explained
    assert "--json" in explained
    assert ("--device" in explained) == (command in RUNS)


def test_help_lists_all_commands(dlproj: Dlproj) -> None:
    out = dlproj("--help").out
    assert all(command in out for command in COMMANDS)


WRONG = [
    ("train-digits --lr -1", "--lr must be a number above 0 and at most 1000, not -1"),
    ("train-digits --lr nan", "--lr must be a number above 0 and at most 1000, not nan"),
    ("train-digits --lr 1e999", "--lr must be a number above 0 and at most 1000, not inf"),
    ("train-digits --lr abc", "--lr must be a number above 0 and at most 1000, not 'abc'"),
    ("train-digits --lr", "--lr needs a value: a number above 0 and at most 1000"),
    (
        "train-digits --lr --epochs 3",
        "--lr needs a value: a number above 0 and at most 1000, not the flag --epochs",
    ),
    ("train-digits --out --json", "--out needs a value: a path, not the flag --json"),
    ("attack --epsilon 0.1 0.2", "one value at a time: write --epsilon 0.1 --epsilon 0.2"),
    ("train-digits -lr 0.1", "train-digits has no flag -lr; did you mean --lr?"),
    ("train-digits --batchnorm yes", "write --batchnorm or --no-batchnorm alone, without 'yes'"),
    ("train-digits --no-plots=1", "--no-plots takes no value: write --no-plots or --plots alone"),
    ("predict-langid a --top 0", "--top must be a whole number of at least 1, not 0"),
    ("build-words --words", "--words needs a value: a whole number from 100 to 1000000"),
    ("train-digits --epochs 0", "--epochs must be a whole number from 1 to 1000000, not 0"),
    ("train-digits --epochs 1.5", "--epochs must be a whole number from 1 to 1000000, not 1.5"),
    ("train-digits --momentum 1.5", "--momentum must be a number of at least 0 and below 1, not"),
    (
        "train-digits --recipe nosuch",
        "--recipe must be standard, report, fast, best or pictures, not ",
    ),
    ("train-digits --device gpu", "--device must be auto, cpu, cuda, cuda:N or mps, not 'gpu'"),
    ("train-digits --device", "--device needs a value: choose where to compute: auto, cpu,"),
    (
        "train-digits --seed 3000000000",
        "--seed must be a whole number of at least 0 and below 2147",
    ),
    ("train-digits --dataset kmnist --data x", "--data and --dataset"),
    (
        "train-digits --nosuch 1",
        "train-digits has no flag --nosuch; see dlproj train-digits --help",
    ),
    ("train-digits --epoch 1", "train-digits has no flag --epoch; did you mean --epochs?"),
    ("train-digits -x", "train-digits has no flag -x; see"),
    ("--nosuch", "there is no flag --nosuch before the command"),
    ("train-digits surplus", "train-digits takes flags only, such as --out, not 'surplus'"),
    ("export a b", "export takes one RUN, not also 'b'"),
    ("train-digits --checkpoint-every -1", "--checkpoint-every must be steps, as in 500, or secon"),
    ("train-digits --checkpoint-every", "--checkpoint-every needs a value: steps, as in 500"),
    ("report --quiet=3", "--quiet takes no value: write --quiet alone"),
    ("train-digits --plots=no", "--plots takes no value: write --plots or --no-plots alone"),
    ("--version=3", "--version takes no value: write --version alone"),
    ("train-digits --out=", "--out needs a value: a path, not ''"),
    ("train-digits --out", "--out needs a value: a path"),
    ("attack --epsilon 0,1", "not '0,1': write 0.1"),
    ("attack --epsilon 10%", "not '10%': write 0.1"),
    ("train-digits --lr 0,02", "not '0,02': write 0.02"),
    ("train-digits --lr 1,000", "at most 1000, not '1,000'"),
    ("attack --epsilon -0.1", "--epsilon must be a number of at least 0, not -0.1"),
    ("attack --epsilon x", "--epsilon must be a number of at least 0, not 'x'"),
    ("attack --method nosuch", "--method must be fgsm, bim, "),
    ("attack --epsilon 8", "--epsilon must be at most 1 in linf"),
    ("attack --epsilon 8", "not 8: 8/255 is 0.0314"),
    ("attack --epsilon 1/0", "--epsilon must be a number of at least 0, not '1/0'"),
    ("attack --epsilon eight/255", "--epsilon must be a number of at least 0, not 'eight"),
    ("train-digits --adversarial --epsilon 8", "8/255 is 0.0314"),
    (
        "attack --method bim --restarts 2",
        "--restarts: nothing uses it with --method bim, only with",
    ),
    ("attack --method apgd-ce --step-size 1/255", "only with --method bim, pgd or mifgsm"),
    ("attack --steps 3", "--steps: nothing uses it with --method fgsm"),
    ("attack --method square --steps 3", "--steps: nothing uses it with --method square"),
    ("attack --method pgd --queries 9", "only with --method square, ensemble or autoattack"),
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
    ("train-langid --network ngrams --cell rnn", "--cell: nothing uses it with --network ngrams"),
    ("train-langid --rare-words --data own.csv", "--rare-words: nothing uses it with --data"),
    ("train-langid --recipe best --embedding 8", "--embedding: nothing uses it with --network"),
    ("train-langid --recipe best --readout max", "--readout: nothing uses it with --network"),
    ("train-langid --longest 3", "--longest: nothing uses it with --network gru"),
    ("sweep train-regression --optimizer lm --lr 0.1,0.2", "--lr: nothing uses it"),
    ("attack --method deepfool --restarts 2", "--restarts: nothing uses it with --method deepfool"),
    ("attack --diagnose --epsilon 0", "--diagnose needs an --epsilon above 0"),
    ("attack --limit 0", "--limit must be a whole number of at least 1, not 0"),
    ("train-digits --jobs 0", "--jobs must be a whole number of at least 1, not 0"),
    ("train-digits --jobs two", "--jobs must be a whole number of at least 1, not 'two'"),
    ("train-digits --cluster tcp://127.0.0.1:9", "--cluster spreads several trainings"),
    ("train-digits --cluster", "--cluster needs a value: train on the Dask cluster"),
    ("attack --jobs 2", "attack has no flag --jobs, which belongs to train-digits, "),
    ("sweep", "COMMAND: name what to train"),
    (
        "sweep attack",
        "COMMAND must be train-digits, train-regression or train-langid, not 'attack'",
    ),
    ("sweep train-digits x", "sweep takes one COMMAND, not also 'x'"),
    ("sweep train-digits --lr", "--lr needs a value: A,B,... (set the highest learning rate"),
    ("sweep train-digits --lr 0.1,-1", "--lr must be a number above 0 and at most 1000, not -1"),
    ("sweep train-digits --lr 0.1,0.10", "--lr: names a value twice"),
    ("sweep train-digits --lr 0.1,,1", "--lr: an empty value"),
    (
        "sweep train-digits --network fast,gru",
        "--network must be report, fast, deep, deeper or robust, n",
    ),
    ("sweep train-digits --hidden 8", "--hidden: not a setting of train-digits"),
    ("sweep train-digits --validation 0", "--validation must be above 0"),
    ("ablate-batchnorm --lr 0.1 --lr 0", "--lr must be a number above 0 and at most 1000, not 0"),
    ("predict-digit", "predict-digit needs IMAGE...: photos, scans or drawings"),
    ("verify", "verify needs RUN...: finished runs, or folders of runs"),
    ("export x --format foo", "--format must be onnx, not 'foo'"),
    ("predict-langid hello --device gpu", "--device must be"),
    ("nosuch", "there is no command 'nosuch'; dlproj --help lists them"),
    ("train-digit", "there is no command 'train-digit'; did you mean train-digits?"),
]
FOREIGN = re.compile("Input should|Invalid value|Value error|argument\\(s\\)|pydantic|Errno|None")


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_wrong_use_is_one_line_and_exit_code_2(
    line: str, message: str, dlproj: Dlproj, tmp_path: Path
) -> None:
    done = dlproj(*line.split())
    assert done.code == 2
    assert message in done.err
    assert done.err.startswith("dlproj: ")
    assert done.err.count("\n") == 1
    assert not FOREIGN.search(done.err)
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
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_script(
    shell: str, dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_DLPROJ_COMPLETE", f"source_{shell}")
    done = dlproj()
    assert done.code == 0
    assert "_DLPROJ_COMPLETE" in done.out

"""A name that we do not have is refused with the one of ours that is meant."""

import json
from pathlib import Path

import pytest
import typer

import dlproj as package
from dlproj.cli import app
from dlproj.configuration.nearest import ELSEWHERE, did_you_mean
from tests.conftest import Dlproj

LINES = [
    ("train-digits --learning-rate 0.1", "no flag --learning-rate; did you mean --lr?"),
    ("train-digits --learning_rate 0.1", "no flag --learning_rate; did you mean --lr?"),
    ("train-digits --Epochs 3", "no flag --Epochs; did you mean --epochs?"),
    ("train-digits --num-epochs 3", "did you mean --epochs?"),
    ("train-digits --output-dir x", "did you mean --out?"),
    ("train-digits -o x", "did you mean --out?"),
    ("train-digits --gpu", "did you mean --device?"),
    ("train-langid --hidden-size 3", "did you mean --hidden?"),
    ("attack --eps 0.1", "no flag --eps; did you mean --epsilon?"),
    ("attack --attack pgd", "no flag --attack; did you mean --method?"),
    ("attack --nb_iter 3", "did you mean --steps?"),
    ("attack --checkpoint x", "no flag --checkpoint; did you mean --model?"),
    ("sweep train-digits --learning-rate 0.1,0.2", "did you mean --lr?"),
    ("-V", "no flag -V before the command; did you mean --version?"),
    ("help", "no command 'help'; did you mean --help?"),
    ("version", "did you mean --version?"),
    ("train", "did you mean train-digits, train-langid or train-regression?"),
    ("digits", "no command 'digits'; did you mean train-digits?"),
    ("train_digits", "did you mean train-digits?"),
    ("langid", "did you mean predict-langid or train-langid?"),
    ("fgsm", "no command 'fgsm'; did you mean attack?"),
    ("batchnorm", "did you mean ablate-batchnorm?"),
    ("mnist", "did you mean train-digits?"),
]


@pytest.mark.parametrize(("line", "message"), LINES)
def test_the_command_line_asks_for_the_nearest(line: str, message: str, dlproj: Dlproj) -> None:
    done = dlproj(*line.split())
    assert (done.code, message in done.err) == (2, True), done.err
    assert done.err.count("\n") == 1


def test_functions_and_files_of_settings_ask_too(dlproj: Dlproj, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"argument 'learning_rate'; did you mean lr\?"):
        package.train_digits(learning_rate=0.1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"argument 'nosuch'$"):
        package.train_digits(nosuch=0.1)  # type: ignore[call-arg]
    file = tmp_path / "settings.json"
    for name, meant in (("learning_rate", "; did you mean lr?"), ("nosuch", "")):
        file.write_text(json.dumps({name: 1}))
        done = dlproj("train-digits", "--config", file)
        assert done.err.endswith(f"not a setting of train-digits{meant}\n"), done.err


def test_every_foreign_name_leads_to_one_of_ours() -> None:
    commands = typer.main.get_group(app).commands
    flags = {flag for each in commands.values() for known in each.params for flag in known.opts}
    ours = {*commands, *(flag.lstrip("-") for flag in flags), "help", "version"}
    assert set(ELSEWHERE.values()) <= ours


def test_nothing_near_is_no_question() -> None:
    assert did_you_mean("--nosuch", ["--lr", "--epochs"]) == ""
    assert did_you_mean("--learning-rate", ["--epochs"]) == ""


def test_h_is_help(dlproj: Dlproj) -> None:
    for words in ((), ("train-digits",)):
        short, long = dlproj(*words, "-h"), dlproj(*words, "--help")
        assert (short.code, short.out, short.err) == (0, long.out, "")

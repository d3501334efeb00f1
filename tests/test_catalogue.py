"""One catalogue of networks: whatever a command trains, every command that takes one can use."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from dlproj.models.catalogue import CATALOGUE, TRAINED_BY
from dlproj.settings import DigitsConfig, LangidConfig
from tests.conftest import Dlproj, write_digits

TRAININGS = {
    "report": ("digits", "train-digits", "--network", "report"),
    "without BatchNorm": ("digits", "train-digits", "--no-batchnorm"),
    "fast": ("digits", "train-digits", "--recipe", "fast"),
    "deep": ("digits", "train-digits", "--network", "deep"),
    "deeper": ("digits", "train-digits", "--network", "deeper"),
    "robust": ("digits", "train-digits", "--adversarial", "--steps", 1, "--epochs", 1),
    "curve": ("points", "train-regression", "--epochs", 1),
    "curve, least squares": ("points", "train-regression", "--recipe", "best", "--epochs", 1),
    "gru": ("words", "train-langid", "--hidden", 8, "--epochs", 1),
    "two layers": ("words", "train-langid", "--hidden", 8, "--layers", 2, "--epochs", 1),
    "lstm": ("words", "train-langid", "--cell", "lstm", "--embedding", 4, "--epochs", 1),
    "ngrams": ("words", "train-langid", "--network", "ngrams", "--epochs", 1),
}
USES = {
    "attack": ("digits", "attack", "--limit", 5, "--epsilon", 0.1, "--no-plots", "--model"),
    "predict-digit": ("digits", "predict-digit", "seven.png", "--no-plots", "--model"),
    "predict-langid": ("words", "predict-langid", "through", "--model"),
    "export": (None, "export", "--force", "--out", "model.onnx"),
}


def test_settings_and_catalogue_name_the_same_networks() -> None:
    for cls, reads in ((DigitsConfig, "digits"), (LangidConfig, "words")):
        named = {entry.setting for entry in CATALOGUE if entry.reads == reads and entry.setting}
        assert named == {*get_args(get_type_hints(cls)["network"])}
        assert TRAINED_BY[reads] == cls.command


@pytest.fixture
def small(tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """Data for a training in no time, and a picture to read."""
    from PIL import Image

    from dlproj.data.digits import load_digits
    from dlproj.data.words import load_words

    write_digits(tmp_path / "images", train=60, test=40)
    Image.fromarray(255 - load_digits().test.pictures[0].numpy()).resize((84, 84)).save("seven.png")
    letters = load_words().alphabet
    rows = [f"{a}{b}{word},{a}" for word in ("ola", "ham") for a in letters[:9] for b in letters]
    (tmp_path / "words.csv").write_text("\n".join(rows), encoding="utf-8")
    return {"digits": ("--data", "images"), "words": ("--data", "words.csv"), "points": ()}


@pytest.mark.parametrize("trained", TRAININGS)
def test_what_a_command_trains_every_command_can_use(
    trained: str, dlproj: Dlproj, small: dict[str, tuple[object, ...]]
) -> None:
    reads, *training = TRAININGS[trained]
    done = dlproj(*training, *small[str(reads)], "--no-plots", "--out", "run")
    assert done.code == 0, done.err
    for use, (wanted, *command) in USES.items():
        done = dlproj(*command, "run", *(small["digits"] if use == "attack" else ()))
        if wanted in {None, reads}:
            assert done.code == 0, (use, done.err)
        else:
            assert done.code == 1
            assert f"reads {reads}; one that reads {wanted} is needed" in done.err

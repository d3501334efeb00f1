"""Predictions on the user's own words, and networks from files."""

import codecs
import gzip
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import torch

from tests.conftest import Dlproj
from tests.support import schemas


def test_words_are_named(dlproj: Dlproj) -> None:
    done = dlproj(
        "predict-langid", "through", "mañana", "yhdeksän", "Goedemorgen", "szczęście", "--json"
    )
    assert done.code == 0, done.err
    jsonschema.validate(done.json, schemas.PREDICTIONS)
    assert [prediction["label"] for prediction in done.json["predictions"]] == [
        "English",
        "Spanish",
        "Finnish",
        "Dutch",
        "Polish",
    ]
    for prediction in done.json["predictions"]:
        assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_words_from_a_file_and_from_standard_input(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("through\n\n  mañana  \r\n", encoding="utf-8")
    from_file = dlproj("predict-langid", "--file", "words.txt").out
    assert [line.split("\t")[:2] for line in from_file.splitlines()] == [
        ["through", "English"],
        ["mañana", "Spanish"],
    ]
    piped = subprocess.run(
        [sys.executable, "-m", "dlproj", "predict-langid", "-"],
        input=(tmp_path / "words.txt").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert piped.stdout == from_file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xe4b", "line 1 is not UTF-8 text"),
        (b"%PDF-1", "a PDF file"),
        (b"a" * 20_000, "line of over"),
    ],
)
def test_word_files_that_cannot_be_read(
    content: bytes, message: str, dlproj: Dlproj, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_bytes(content)
    done = dlproj("predict-langid", "--file", "words.txt")
    assert done.code == 1
    assert message in done.err


@pytest.mark.parametrize(
    ("content", "flags"),
    [
        ("łódź\r\nszczęście".encode("utf-16"), []),
        (codecs.BOM_UTF8 + "łódź\nszczęście".encode(), []),
        (gzip.compress("łódź\nszczęście".encode()), []),
        ("łódź\nszczęście".encode("utf-32"), []),
        ("łódź\nszczęście".encode("cp1250"), ["--encoding", "cp1250"]),
    ],
    ids=["utf-16", "utf-8", "gzip", "utf-32", "cp1250"],
)
def test_word_files_in_other_encodings(
    content: bytes, flags: list[str], dlproj: Dlproj, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_bytes(content)
    lines = dlproj("predict-langid", "--file", "words.txt", *flags).out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["łódź", "szczęście"]
    assert lines[-1].split("\t")[1] == "Polish"


def test_an_encoding_that_does_not_exist(dlproj: Dlproj) -> None:
    done = dlproj("predict-langid", "hello", "--encoding", "nosuch")
    assert done.code == 2
    assert "--encoding must be one that Python knows" in done.err


@pytest.mark.parametrize("content", [b"", b"hello", b'\x08\0\0\0\0\0\0\0{"a": 1}', b"\xff" * 64])
def test_models_that_are_none(content: bytes, dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    (tmp_path / "m.pt").write_bytes(content)
    for name in ("m.safetensors", "m.pt"):
        done = dlproj("predict-langid", "hello", "--model", name)
        assert done.code == 1
        assert done.err.startswith(f"dlproj: {name}: ") or "--model" in done.err
        assert done.err.count("\n") == 1


def test_a_pickle_is_never_run(dlproj: Dlproj, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pt")
    done = dlproj("attack", "--model", "trap.pt")
    assert done.code == 1
    assert "not the weights of the course's LeNet" in done.err
    assert not (tmp_path / "sprung").exists()


def test_a_model_of_another_task_is_refused(dlproj: Dlproj) -> None:
    done = dlproj("train-regression", "--epochs", 1, "--no-plots", "--out", "curve")
    assert done.code == 0
    done = dlproj("predict-langid", "hello", "--model", "curve")
    assert done.code == 1
    assert "curve: holds a CurveMLP, which reads points; one that reads words" in done.err

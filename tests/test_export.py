"""Networks exported to ONNX compute what they compute in torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.words import ALPHABET, encode
from dlproj.models.files import DIGITS, LANGID, load_model
from dlproj.models.langid import CharGRU
from dlproj.models.ngrams import NgramBag
from dlproj.models.regression import CurveMLP
from dlproj.store.weights import pack_model
from dlproj.tools import export
from tests.conftest import Dlproj

onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")


@pytest.mark.parametrize("model", [DIGITS, LANGID])
def test_shipped_networks(dlproj: Dlproj, tmp_path: Path, model: Path) -> None:
    done = dlproj("export", model, "--format", "onnx", "--out", tmp_path / "model.onnx", "--json")
    assert done.code == 0, done.err
    assert done.json["metrics"]["inputs"] == 1000
    assert done.json["metrics"]["max_difference"] < 1e-4
    metadata = {
        prop.key: json.loads(prop.value) if prop.key != "dlproj" else prop.value
        for prop in onnx.load(tmp_path / "model.onnx").metadata_props
    }
    assert metadata["labels"][:2] == (["0", "1"] if model == DIGITS else ["English", "Spanish"])
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    one = np.zeros((1, 1, 28, 28), np.float32) if model == DIGITS else np.ones((1, 12), np.int64)
    assert session.run(None, {"inputs": one})[0].shape == (1, len(metadata["labels"]))


def networks_of_words() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {
        "shipped": load_model(LANGID)[0],
        "bag": NgramBag(longest=8),
        "bag apart": NgramBag(longest=8, apart=True),
        "one way": CharGRU(hidden=8),
        "both ways": CharGRU(hidden=8, bidirectional=True, layers=2),
        "embedded lstm": CharGRU(hidden=8, cell="lstm", embedding=6),
    }


@pytest.mark.parametrize(
    "name", ["shipped", "bag", "bag apart", "one way", "both ways", "embedded lstm"]
)
def test_padding_changes_nothing(name: str) -> None:
    model = networks_of_words()[name].eval()
    words = ["through", "yhdeksän", "a", "ijs", "don't", "szczęście", "123"]
    letters, lengths = encode(words, ALPHABET)
    alone = torch.cat(
        [model(row[None, :n]) for row, n in zip(letters, lengths.tolist(), strict=True)]
    )
    padded = F.pad(letters, (0, 5), value=-1).long()
    torch.testing.assert_close(model(padded), alone, atol=1e-5, rtol=1e-5)
    session = onnxruntime.InferenceSession(export.to_onnx(model, padded, {}))
    (exported,) = session.run(None, {"inputs": padded.numpy()})
    torch.testing.assert_close(torch.from_numpy(exported), alone, atol=1e-4, rtol=1e-4)


def test_two_networks_of_words_one_after_the_other(dlproj: Dlproj, tmp_path: Path) -> None:
    model = CharGRU(hidden=8)
    (tmp_path / "model.safetensors").write_bytes(pack_model(model, {"labels": ["a"] * 5}))
    for name in ("one.onnx", "two.onnx"):
        done = dlproj("export", tmp_path, "--out", name, "--json")
        assert done.code == 0, done.err
        assert done.json["metrics"]["max_difference"] < 1e-5


@pytest.mark.parametrize("given", [{"cell": "rnn"}, {"readout": "mean"}, {"readout": "max"}])
def test_a_network_that_onnx_cannot_hold_is_refused_in_a_line(
    given: dict[str, Any], dlproj: Dlproj, tmp_path: Path
) -> None:
    model = CharGRU(hidden=8, **given)
    (tmp_path / "model.safetensors").write_bytes(pack_model(model, {"labels": ["a"] * 5}))
    done = dlproj("export", tmp_path)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "only with --cell gru or lstm and --readout last" in done.err
    assert not (tmp_path / "model.onnx").exists()


def test_a_run_directory_in_double_precision(dlproj: Dlproj, tmp_path: Path) -> None:
    model = CurveMLP(activation="tanh").double()
    (tmp_path / "model.safetensors").write_bytes(pack_model(model, {}))
    done = dlproj("export", tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "model.onnx").exists()


def test_a_wrong_export_is_not_written(
    dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def largest_difference(_data: bytes, model: nn.Module, _batches: list[Tensor]) -> float:
        return float("nan") if model.training is False else 0.0

    monkeypatch.setattr(export, "largest_difference", largest_difference)
    done = dlproj("export", DIGITS, "--out", tmp_path / "model.onnx")
    assert done.code == 1
    assert "onnxruntime and torch differ" in done.err
    assert not (tmp_path / "model.onnx").exists()


def test_existing_files_are_kept(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("mine")
    done = dlproj("export", DIGITS, "--out", tmp_path / "model.onnx")
    assert (done.code, (tmp_path / "model.onnx").read_text()) == (1, "mine")
    assert "add --force" in done.err

"""`dlproj demo`: what it takes, what it refuses, and the form in which a page gets its contents."""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dlproj.configuration.resolve import resolve
from dlproj.errors import DlprojError
from dlproj.models.digits import DeepCNN, DeeperCNN, DigitMLP, FastCNN
from dlproj.models.langid import CharGRU
from dlproj.output.html import DEMO
from dlproj.output.modules import join_modules
from dlproj.reports.finished import load_run
from dlproj.settings import RegressionConfig
from dlproj.tools.demo import page, parts
from dlproj.tools.demo.curve import curve_history
from dlproj.tools.demo.networks import describe_digits, describe_languages
from dlproj.tools.demo.origin import command_of
from dlproj.tools.demo.tensors import as_packed, pack_tensors
from tests.conftest import Dlproj


@pytest.fixture
def trained(dlproj: Dlproj, tiny: Path) -> Path:
    """A small run of train-digits."""
    short = ("--data", tiny, "--threads", 1, "--quiet", "--no-plots", "--out", "run")
    assert dlproj("train-digits", *short, "--lr", 0.05, "--seeds", 2).code == 0
    return Path("run")


def contents(file: Path) -> dict[str, Any]:
    """The data of a page."""
    found = re.search(r'id="page-data">(.*?)</script>', file.read_text(encoding="utf-8"))
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_page_holds_the_networks_of_the_runs(dlproj: Dlproj, trained: Path) -> None:
    done = dlproj("demo", trained, "--out", "page.html", "--json")
    assert done.code == 0, done.err
    assert done.json["runs"] == {"digits": "run"}
    assert done.json["metrics"]["bytes"] == Path("page.html").stat().st_size <= 8_000_000
    assert max(done.json["metrics"]["max_difference"].values()) < 1e-3
    held = contents(Path("page.html"))
    networks, data = held["networks"], held["data"]
    assert networks["digits"]["run"] == "run"
    assert networks["words"]["run"] is None
    labels = data["examples"]["labels"]
    assert len(base64.b64decode(data["examples"]["pictures"])) == 784 * len(labels)
    assert 0 < data["examples"]["mistakes"] <= 30 < len(labels) <= 100

    again = dlproj("demo", "--out", "page.html")
    assert again.code == 1
    assert again.err.endswith("page.html: exists already; name another file, or add --force\n")


def test_what_is_no_run_for_it_is_refused_in_one_line(
    dlproj: Dlproj, trained: Path, tiny: Path
) -> None:
    short = ("--data", tiny, "--threads", 1, "--quiet", "--no-plots")
    attack = ("attack", *short, "--limit", 20, "--epsilon", 0.1, "--out", "attack")
    assert dlproj(*attack).code == 0
    Path("unfinished").mkdir()
    refused: list[tuple[list[str | Path], str]] = [
        (["unfinished"], "unfinished: not a finished run (no result.json)"),
        (["nowhere"], "nowhere: not a finished run (no result.json)"),
        (["attack"], "attack: a run of attack; the page takes runs of train-digits"),
        ([trained, trained], "run: run is of the same kind; the page takes one of each"),
    ]
    for runs, problem in refused:
        done = dlproj("demo", *runs, "--out", "page.html")
        assert (done.code, done.out) == (1, "")
        assert problem in done.err
        assert done.err.count("\n") == 1
    assert not Path("page.html").exists()


def test_a_network_that_the_page_cannot_compute_is_refused(
    dlproj: Dlproj, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        parts, "load_network", lambda *_: (DigitMLP(), {"labels": [], "origin": {}})
    )
    monkeypatch.setattr(parts, "origin", lambda *_: {})
    done = dlproj("demo", trained, "--out", "page.html")
    assert done.code == 1
    assert "the page cannot compute a DigitMLP" in done.err


def test_weights_get_fewer_bits_where_the_page_would_be_too_large(
    dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> tuple[int, float]:
        metrics = dlproj("demo", "--out", "page.html", "--force", "--json").json["metrics"]
        return metrics["bytes"], metrics["max_difference"]["digits"]

    size, difference = made()
    monkeypatch.setattr(parts, "WEIGHTS", 0)
    less, more = made()
    assert less < size
    assert difference <= 5e-4 < more <= 0.02


def test_a_page_that_is_too_large_is_refused() -> None:
    network = parts.Network({}, "x" * 9_000_000, 0.0)
    with pytest.raises(DlprojError, match=r"9\.1 MB, more than 8 .*words 9\.0"):
        page.check_size(9_100_000, {"words": network})


def test_commands_name_what_differs_from_their_recipe(trained: Path) -> None:
    run = load_run(trained)
    command = command_of(run)
    assert command.startswith("dlproj train-digits ")
    assert "--lr 0.05" in command
    assert "--seeds 2" in command
    assert "--momentum" not in command


def test_tensors_come_back_from_their_text() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(200, 150, generator=generator)
    eighths = torch.randn(200, 150, generator=generator).to(torch.float8_e4m3fn).float()
    tensors = {
        "matrix": matrix,
        "eighths": eighths,
        "bias": torch.arange(3.0),
        "marks": torch.arange(5, dtype=torch.int16),
    }
    packed = pack_tensors(tensors, bits=12)
    text = packed["text"].translate(str.maketrans(",.:", "<>&"))
    data = zlib.decompress(base64.b85decode(text))
    index = {entry.pop("name"): entry for entry in packed["index"]}
    assert {name: entry["format"] for name, entry in index.items()} == {
        "matrix": "rows",
        "eighths": "float8",
        "bias": "float32",
        "marks": "int16",
    }
    start = index["matrix"]["start"]
    scales = np.frombuffer(data, "<f4", 200, start)
    planes = np.frombuffer(data, np.uint8, 2 * matrix.numel(), start + 800).reshape(2, -1)
    whole = (planes[0].astype(np.int16) << 8) | planes[1]
    restored = torch.from_numpy(whole.reshape(200, 150) * scales[:, None])
    assert torch.allclose(restored, as_packed(matrix, bits=12), atol=1e-7)
    assert (restored - matrix).abs().max() <= matrix.abs().max() / 4000
    assert as_packed(eighths, bits=12).equal(eighths)
    assert data[index["bias"]["start"] :][:12] == np.arange(3, dtype="<f4").tobytes()


def compute(
    described: tuple[dict[str, Any], dict[str, torch.Tensor]], images: torch.Tensor
) -> torch.Tensor:
    """Probabilities of a described network, by torch's functions."""
    about, tensors = described

    def filled(layer: dict[str, Any]) -> dict[str, Any]:
        return {
            key: tensors.get(value, value) if isinstance(value, str) else value
            for key, value in layer.items()
        }

    def logits(layers: list[dict[str, Any]], x: torch.Tensor) -> torch.Tensor:
        for layer in map(filled, layers):
            match layer["kind"]:
                case "normalise":
                    x = (x - layer["mean"]) / layer["deviation"]
                case "conv2d":
                    x = nn.functional.conv2d(
                        x, layer["weight"], layer["bias"], layer["stride"], layer["padding"]
                    )
                case "affine":
                    x = x * layer["scale"][:, None, None] + layer["shift"][:, None, None]
                case "relu":
                    x = x.relu()
                case "maxpool":
                    x = nn.functional.max_pool2d(x, layer["side"])
                case "linear":
                    x = nn.functional.linear(x.flatten(1), layer["weight"], layer["bias"])
        return x

    looks = [
        logits(layers, images.roll((down, right), (2, 3))).softmax(1)
        for layers in about["columns"]
        for down, right in about["looks"]
    ]
    return torch.stack(looks).mean(0)


@pytest.mark.parametrize("network", [FastCNN, DeepCNN, DeeperCNN])
@torch.no_grad()
def test_networks_of_other_recipes_are_described_too(network: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = network()
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
            norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    images = nn.functional.pad(torch.rand(3, 1, 24, 24), (2, 2, 2, 2))
    expected = model.eval()(images).softmax(1)
    assert torch.allclose(compute(describe_digits(model), images), expected, atol=1e-5)


def test_a_gru_is_described_by_its_sizes_and_tensors() -> None:
    about, tensors = describe_languages(CharGRU(layers=2, bidirectional=True))
    assert about == {"kind": "CharGRU", "layers": 2, "bidirectional": True}
    assert {"weight_ih_l1_reverse", "bias_hh_l0", "outputWeight"} <= tensors.keys()
    with pytest.raises(DlprojError, match="cannot compute a DigitMLP"):
        describe_languages(DigitMLP())
    with pytest.raises(DlprojError, match="trained with --cell lstm --embedding 8"):
        describe_languages(CharGRU(cell="lstm", embedding=8))


@pytest.mark.parametrize("optimizer", ["adam", "lm"])
def test_a_training_is_kept_from_its_start_to_its_end(optimizer: str) -> None:
    settings = {"epochs": 5, "optimizer": optimizer, "activation": "tanh", "threads": 1}
    history = curve_history(resolve(RegressionConfig, settings))
    assert history["epochs"] == [0, 1, 2, 3, 4, 5]
    assert len(history["fits"]) == len(history["losses"]) == 6
    assert history["losses"][-1] < history["losses"][0]
    assert len(history["fits"][0]) == len(history["x"]) == 129


def test_a_long_training_keeps_a_hundred_fits(tmp_path: Path) -> None:
    points = tmp_path / "own.csv"
    points.write_text("".join(f"{x},{x * x}\n" for x in range(40)))
    config = resolve(RegressionConfig, {"epochs": 250, "data": points, "threads": 1})
    history = curve_history(config)
    assert history["epochs"][:3] == [0, 2, 4]
    assert history["epochs"][-1] == 250
    assert history["function"] is None
    assert len(history["points"]["x"]) == 32  # those that it learns from


def module(folder: Path, **sources: str) -> Path:
    for name, source in sources.items():
        (folder / f"{name}.js").write_text(source)
    return folder / "main.js"


def test_modules_are_joined_behind_what_they_import(tmp_path: Path) -> None:
    entry = module(
        tmp_path,
        main='import { two } from "./b.js";\nimport * as a from "./a.js";\nshow(two, a.one);\n',
        a="export const one = 1;\nconst hidden = 0;\n",
        b='import { one } from "./a.js";\nexport const two = one + one;\nconst hidden = 1;\n',
    )
    script = join_modules(entry)
    assert script.count("const one = 1;") == 1
    assert "import" not in script
    assert "export" not in script
    order = [
        script.index(part)
        for part in ("const one = 1", "return { one }", "return { two }", "show(two")
    ]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('import x from "./a.js";\n', "not understood: import x"),
        ("export default 1;\n", "not understood: export default"),
        ('import { y } from "./main.js";\n', "imports itself"),
    ],
)
def test_modules_of_another_form_are_refused(tmp_path: Path, source: str, problem: str) -> None:
    entry = module(tmp_path, main=source, a="export const y = 1;\n")
    with pytest.raises(ValueError, match=problem):
        join_modules(entry)


def test_every_module_of_the_page_is_used() -> None:
    script = join_modules(DEMO / "ui" / "main.js")
    for path in DEMO.glob("*/*.js"):
        assert f"const ${path.parent.name}_{path.stem} =" in script

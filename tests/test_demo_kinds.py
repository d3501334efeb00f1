"""The page of `dlproj demo` in a real browser, with networks of kinds that do not ship."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from selenium import webdriver
from torch import Tensor, nn

from dlproj.attacks import fgsm
from dlproj.configuration.resolve import resolve
from dlproj.data.digits import Digits, Images, load_digits, to_pixels
from dlproj.data.words import ALPHABET, LANGUAGES, encode
from dlproj.models.digits import DeepCNN, FastCNN
from dlproj.models.files import DIGITS, LANGID
from dlproj.models.langid import CharGRU
from dlproj.output.console import Console
from dlproj.settings import RegressionConfig
from dlproj.tools.demo import parts
from dlproj.tools.demo.page import demo
from tests.browsers import open_browser
from tests.support.demo_page import computed, of_pictures, wait

IMAGES = 6
WORDS = ["zmarzlina", "kirjasto", "naïve", "o"]


def with_statistics(model: nn.Module) -> nn.Module:
    """A network as if its BatchNorm had seen images."""
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
            norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return model.eval()


@pytest.fixture(scope="module")
def models() -> dict[Path, nn.Module]:
    """Networks in place of those that ship, of other kinds."""
    torch.manual_seed(0)
    return {
        DIGITS: with_statistics(DeepCNN()),
        parts.ROBUST: with_statistics(FastCNN()),
        LANGID: CharGRU(layers=2, bidirectional=True).eval(),
    }


@pytest.fixture(scope="module")
def page(
    models: dict[Path, nn.Module], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    names = {"labels": list("0123456789"), "origin": {"command": "", "test_accuracy": 0.1}}
    languages = {**names, "labels": list(LANGUAGES.values()), "alphabet": ALPHABET}

    def load(run: Any, shipped: Path) -> tuple[nn.Module, dict[str, Any]]:
        return copy.deepcopy(models[shipped]), languages if shipped == LANGID else names

    def few(*_: Any) -> Digits:
        every = load_digits()
        test = Images(every.test.pictures[:40], every.test.labels[:40])
        return replace(every, test=test)

    out = tmp_path_factory.mktemp("demo") / "demo.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "load_network", load)
        patch.setattr(parts, "load_digits", few)
        patch.setattr(parts, "BITS", (16,))  # so that what differs is the page's arithmetic
        patch.setattr(parts, "_curve_settings", lambda _: resolve(RegressionConfig, {"epochs": 1}))
        demo([], out, force=False, console=Console(quiet=True, json=True))
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.set_script_timeout(110)
        browser.get(out.as_uri())
        wait(browser, "#draw-bars .best")
        yield browser
        assert browser.get_log("browser") == []


@pytest.mark.parametrize(("name", "shipped"), [("digits", DIGITS), ("robust", parts.ROBUST)])
def test_networks_of_images_compute_what_torch_computes(
    page: webdriver.Chrome, models: dict[Path, nn.Module], name: str, shipped: Path
) -> None:
    # On blank paper FastCNN's cosines are zero but for rounding, and so is which ReLU lets through.
    noise = torch.randint(20, 90, (IMAGES, 28, 28), dtype=torch.uint8)
    test = load_digits().test
    images = to_pixels(test.pictures[:IMAGES] // 2 + noise)
    labels = test.labels[:IMAGES]
    with torch.no_grad():
        expected = models[shipped](images).softmax(1)
    found = of_pictures(page, images, "dlproj.digits(pixels, $1)", name)
    assert (found - expected).abs().max() < 1e-4
    attacked = fgsm(models[shipped], images, labels, epsilon=0.1).flatten(1)
    call = f"dlproj.attack(pixels, $1[index], 0.1, '{name}')"
    changed = of_pictures(page, images, call, labels.tolist())
    assert ((changed - attacked).abs() > 1e-6).double().mean() <= 1e-3


@torch.no_grad()
def test_a_gru_reads_words_as_torch_does(
    page: webdriver.Chrome, models: dict[Path, nn.Module]
) -> None:
    letters, lengths = encode(WORDS, ALPHABET)
    for word, row, length in zip(WORDS, letters, lengths, strict=True):
        logits: Tensor = models[LANGID](row[None, :length])
        found = computed(page, "dlproj.language($0)", word)
        shares = torch.tensor([found[name] for name in LANGUAGES.values()])
        assert torch.allclose(shares, logits[0].softmax(0), atol=1e-5)

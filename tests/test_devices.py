"""Networks compute where their weights and inputs are, whatever torch's default device is."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlproj.models.digits import DeepCNN, DeeperCNN, DigitCNN, DigitMLP, FastCNN, LeNet, RobustCNN
from dlproj.models.langid import CharGRU
from dlproj.models.ngrams import NgramBag
from dlproj.models.noise import DriftingNoise
from dlproj.models.regression import CurveMLP

READERS = (DeepCNN, DeeperCNN, DigitCNN, DigitMLP, FastCNN, LeNet, RobustCNN, DriftingNoise)
IMAGES = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
WORDS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, -1, -1, -1], [-1, 6, 5, -1, -1]])
SMALL: dict[str, Any] = {"buckets": 2**8, "slots": 2**6}
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    **{network.__name__: (network, IMAGES) for network in READERS},
    "curve": (CurveMLP, IMAGES.view(-1, 1)),
    "gru": (lambda: CharGRU(hidden=8, dropout=0.5), WORDS),
    "lstm": (lambda: CharGRU(hidden=8, cell="lstm", embedding=3, bidirectional=True), WORDS),
    "mean": (lambda: CharGRU(hidden=8, readout="mean"), WORDS),
    "max": (lambda: CharGRU(hidden=8, readout="max"), WORDS),
    "n-grams": (lambda: NgramBag(**SMALL), WORDS),
    "n-grams apart": (lambda: NgramBag(**SMALL, apart=True), WORDS),
    "known words": (lambda: NgramBag(**SMALL, known=8), WORDS),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_computes_where_its_input_is(name: str, training: bool) -> None:
    """On "meta" there are no numbers, so that what went there would not come back."""
    make, inputs = NETWORKS[name]
    torch.manual_seed(0)
    model = make().train(training)
    torch.manual_seed(1)
    expected = model(inputs)
    torch.manual_seed(1)
    with torch.device("meta"):
        made = model(inputs)
    assert made.device == inputs.device
    assert training or torch.equal(made, expected)


def test_words_are_known_by_heart_where_the_network_is() -> None:
    model = NgramBag(**SMALL, known=2**6).eval()
    shares = torch.tensor([[0.6, 0.1, 0.1, 0.1, 0.1]]).expand(3, 5)
    with torch.device("meta"):
        model.remember([(WORDS, shares, shares[:, 0])])
    assert int((model.known_marks != 0).sum()) > 0

"""The networks are those of the report."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.models.digits import DeepCNN, DigitCNN, FastCNN, LeNet, slowest_cosines
from dlproj.models.langid import CharGRU, NgramBag, highest_bits, mix
from dlproj.models.regression import CurveMLP


def count(model: nn.Module) -> int:
    return sum(weights.numel() for weights in model.parameters())


def test_parameter_counts() -> None:
    assert count(DigitCNN()) == 829_030
    assert count(DigitCNN(batchnorm=False)) == 828_806
    assert abs(sum(value.numel() for value in DigitCNN().state_dict().values()) - 829_145) <= 115
    assert count(FastCNN()) == 14_986
    assert count(DeepCNN()) == 225_876
    assert count(LeNet()) == 431_080
    assert count(CurveMLP()) == 901
    assert count(CharGRU()) == 3 * 128 * (47 + 128 + 2) + 129 * 5
    assert count(NgramBag()) == 2**17 * 16 + 2 * 16 + 17 * 64 + 65 * 5


def reports_order(model: DigitCNN, images: Tensor) -> Tensor:
    """The report's forward pass to the letter: ReLU before pooling."""
    x = (images - 0.1307) / 0.3081
    x = F.relu(model.norm1(model.conv1(x)))
    x = F.max_pool2d(F.relu(model.norm2(model.conv2(x))), 2)
    x = F.max_pool2d(F.relu(model.norm3(model.conv3(x))), 2)
    logits: Tensor = model.output(F.relu(model.hidden(x.flatten(1))))
    return logits


@pytest.mark.parametrize("batchnorm", [True, False])
def test_pooling_before_relu_changes_neither_outputs_nor_gradients(batchnorm: bool) -> None:
    torch.manual_seed(0)
    model, images = DigitCNN(batchnorm=batchnorm), torch.rand(8, 1, 28, 28)
    expected = reports_order(model, images)
    wanted = torch.autograd.grad(expected.square().sum(), list(model.parameters()))
    logits = model(images)
    given = torch.autograd.grad(logits.square().sum(), list(model.parameters()))
    torch.testing.assert_close(logits, expected)
    for one, other in zip(given, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_arms_of_the_ablation_start_from_the_same_weights() -> None:
    torch.manual_seed(3)
    with_norm = DigitCNN().state_dict()
    torch.manual_seed(3)
    for name, weights in DigitCNN(batchnorm=False).state_dict().items():
        assert torch.equal(weights, with_norm[name])


def test_gru_takes_the_last_state_of_each_direction() -> None:
    torch.manual_seed(0)
    model = CharGRU(hidden=8, bidirectional=True).eval()
    word = torch.tensor([[3, 1, 4, 1, 5]])
    one_hot = F.one_hot(word.T, 47).float()
    outputs, _ = model.gru(one_hot)
    last = torch.cat([outputs[-1, :, :8], outputs[0, :, 8:]], dim=1)
    torch.testing.assert_close(model(word), model.output(last))


def test_an_unknown_letter_is_all_zeros() -> None:
    torch.manual_seed(0)
    model = CharGRU(hidden=8).eval()
    _, state = model.gru(torch.zeros(1, 1, 47))
    torch.testing.assert_close(model(torch.tensor([[-1]])), model.output(state[-1]))


def test_curve_scaling_is_inside_the_network() -> None:
    torch.manual_seed(0)
    plain = CurveMLP()
    scaled = CurveMLP(x_mean=10, x_scale=2, y_mean=-1, y_scale=3)
    scaled.load_state_dict(plain.state_dict())
    x = torch.linspace(-1, 1, 5)[:, None]
    torch.testing.assert_close(scaled(10 + 2 * x), 3 * plain(x) - 1)


def grams_by_hand(word: list[int], longest: int, buckets: int, letters: int) -> list[int]:
    """The buckets of a word's n-grams, with Python's unbounded integers."""
    edged = [letters + 1, *(letter + 1 for letter in word), letters + 2]
    found = []
    for n in range(1, longest + 1):
        for start in range(len(edged) - n + 1):
            code = 0
            for letter in edged[start : start + n]:
                code = code * (letters + 3) + letter
            product = (code * 8 + n - 1) * 0x9E3779B97F4A7C15 % 2**64
            found.append(product * buckets // 2**64)
    return found


def test_ngrams_are_hashed_as_by_hand() -> None:
    model = NgramBag(longest=5, buckets=2**10)
    words = torch.tensor([[3, 4, -1, 46], [0, 0, 0, 0]])
    grams = highest_bits(mix(model.spell(words)), 2**10)
    for row, word in zip(grams.tolist(), words.tolist(), strict=True):
        assert row == grams_by_hand(word, 5, 2**10, 47)


def test_short_words_have_fewer_ngrams() -> None:
    assert NgramBag(longest=8).eval()(torch.tensor([[5]])).shape == (1, 5)


def test_equal_ngrams_share_a_bucket_wherever_they_stand() -> None:
    model = NgramBag(longest=2)
    words = torch.tensor([[1, 2, 3, 1, 2]])
    pairs = highest_bits(mix(model.spell(words)), 2**17).tolist()[0][8:12]  # 12 23 31 12
    assert pairs[0] == pairs[3]
    assert len(set(pairs)) == 3


@pytest.mark.parametrize(
    ("network", "places"),
    [
        (FastCNN, [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]),
        (DeepCNN, [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]),
    ],
)
def test_once_trained_networks_give_the_mean_of_looks(
    network: type[FastCNN | DeepCNN], places: list[tuple[int, int]]
) -> None:
    model, images = network().eval(), torch.zeros(4, 1, 28, 28)
    images[:, :, 3:25, 3:25] = torch.rand(4, 1, 22, 22)
    with torch.no_grad():
        looks = [model.look(images.roll(place, (2, 3))).softmax(1) for place in places]
        torch.testing.assert_close(model(images).exp(), sum(looks) / len(places))


def test_cosines_are_orthonormal_and_the_slowest_come_first() -> None:
    cosines = slowest_cosines(5, count=25).flatten(1)
    torch.testing.assert_close(cosines @ cosines.T, torch.eye(25))
    torch.testing.assert_close(cosines[0], torch.full((25,), 0.2))
    waves = cosines.view(25, 5, 5)
    roughness = sum((waves.diff(dim=d).square().sum((1, 2)) for d in (1, 2)), torch.zeros(25))
    once, twice = (2 - 2 * math.cos(turns * math.pi / 5) for turns in (1, 2))  # eigenvalues
    assert roughness[:6].tolist() == pytest.approx([0, once, once, 2 * once, twice, twice])

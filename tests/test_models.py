"""The networks are those of the report."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.models.digits import (
    DeepCNN,
    DeeperCNN,
    DigitCNN,
    DigitMLP,
    FastCNN,
    LeNet,
    RobustCNN,
    TwoColumns,
    slowest_cosines,
)
from dlproj.models.langid import CharGRU
from dlproj.models.ngrams import NgramBag
from dlproj.models.noise import DriftingNoise
from dlproj.models.regression import CurveMLP


def count(model: nn.Module) -> int:
    return sum(weights.numel() for weights in model.parameters())


def test_parameter_counts() -> None:
    assert count(DigitCNN()) == 829_030
    assert count(DigitCNN(batchnorm=False)) == 828_806
    assert count(FastCNN()) == 14_986
    assert count(FastCNN(batchnorm=False)) == 14_986 - 2 * 32 + 32
    assert count(DeepCNN()) == 225_876
    norms = 2 * (32 + 32 + 64 + 64 + 64)  # channels of the two columns: a scale and a shift each
    assert count(DeepCNN(batchnorm=False)) == 225_876 - 2 * norms + norms
    assert count(DeeperCNN()) == 234_356
    assert count(RobustCNN(convolutions=3)) == 699_716
    assert count(RobustCNN()) == 662_788
    assert count(DigitMLP()) == 785 * 256 + 257 * 10
    assert count(LeNet()) == 431_080
    assert count(CurveMLP()) == 901
    assert count(CharGRU()) == 3 * 128 * (47 + 128 + 2) + 129 * 5
    assert count(NgramBag()) == 2**18 * 16 + 2 * 16 + 17 * 64 + 65 * 5
    wider = 2 * 14 * 16 + 14 * 16 * 64  # three sums for each of five lengths, in place of one
    assert count(NgramBag(apart=True)) == count(NgramBag()) + wider
    assert (len(NgramBag().marks), NgramBag().slots) == (2**18, 2**18)  # which are counted
    assert NgramBag().table.std().item() == pytest.approx(0.1, rel=0.01)


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


Weights = dict[str, Tensor]


def normalised(x: Tensor, w: Weights, name: str) -> Tensor:
    """BatchNorm by the statistics that were kept."""
    return F.batch_norm(
        x,
        w[f"{name}.running_mean"],
        w[f"{name}.running_var"],
        w[f"{name}.weight"],
        w[f"{name}.bias"],
    )


def fast(x: Tensor, w: Weights) -> Tensor:
    """The docstring of FastCNN: both signs of twelve cosines, 5x5 patches two pixels apart."""
    waves = F.conv2d(x, slowest_cosines(5, 12), stride=2)
    x = torch.cat([waves.relu(), (-waves).relu()], dim=1)
    x = F.max_pool2d(F.conv2d(x, w["conv.weight"]), 2)
    x = normalised(x, w, "norm").relu().movedim(1, 3).flatten(1)
    return F.linear(x, w["output.weight"], w["output.bias"])


DEEP = ((0, 2, 2), (1, 1, 1), (2, 1, 0), "pool", (4, 1, 1), (5, 1, 0))  # place, stride, padding
DEEPER = ((0, 1, 2), (1, 1, 1), "pool", (3, 1, 1), (4, 1, 0), "pool", (6, 1, 1), (7, 1, 0))


def columns(x: Tensor, w: Weights, layers: Sequence[str | tuple[int, int, int]]) -> Tensor:
    """What deep_column and deeper_column say, of both columns."""
    means = []
    for column in (0, 1):
        y = x
        for layer in layers:
            if isinstance(layer, str):
                y = F.max_pool2d(y, 2)
                continue
            place, stride, padding = layer
            name = f"columns.{column}.features.{place}"
            y = F.conv2d(y, w[f"{name}.0.weight"], stride=stride, padding=padding)
            y = normalised(y, w, f"{name}.1").relu()
        name = f"columns.{column}.output"
        means.append(F.linear(y.flatten(1), w[f"{name}.weight"], w[f"{name}.bias"]).softmax(1))
    return ((means[0] + means[1]) / 2).log()


def robust(pixels: Tensor, w: Weights) -> Tensor:
    """The docstring of RobustCNN."""
    x = 1 / (1 + torch.exp(-w["slope"] * (pixels - w["threshold"])))
    for name in ("conv1", "conv2"):
        x = F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride=2, padding=1).relu()
    if "conv3.weight" in w:
        x = F.conv2d(x, w["conv3.weight"], w["conv3.bias"], padding=1).relu()
    x = F.linear(x.flatten(1), w["hidden.weight"], w["hidden.bias"]).relu()
    return F.linear(x, w["output.weight"], w["output.bias"])


def mlp(x: Tensor, w: Weights) -> Tensor:
    x = F.linear(x.flatten(1), w["hidden.weight"], w["hidden.bias"]).relu()
    return F.linear(x, w["output.weight"], w["output.bias"])


def lenet(x: Tensor, w: Weights) -> Tensor:
    """LeCun et al. 1998 with max-pooling: 20 and 50 channels, 500 units."""
    for name in ("conv1", "conv2"):
        x = F.max_pool2d(F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"]).relu(), 2)
    x = F.linear(x.flatten(1), w["fc1.weight"], w["fc1.bias"]).relu()
    return F.linear(x, w["fc2.weight"], w["fc2.bias"])


@pytest.mark.parametrize(
    ("network", "reference"),
    [
        (FastCNN, fast),
        (DeepCNN, partial(columns, layers=DEEP)),
        (DeeperCNN, partial(columns, layers=DEEPER)),
        (RobustCNN, robust),
        (partial(RobustCNN, convolutions=3), robust),
        (DigitMLP, mlp),
        (LeNet, lenet),
    ],
)
def test_networks_compute_what_their_docstrings_say(
    network: Callable[[], nn.Module], reference: Callable[[Tensor, Weights], Tensor]
) -> None:
    torch.manual_seed(0)
    model = network()
    model.train()(torch.rand(8, 1, 28, 28))  # moves the statistics that are kept
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    images = torch.rand(5, 1, 28, 28)
    pixels = images if reference is robust else (images - 0.1307) / 0.3081
    look = getattr(model.eval(), "look", model)
    with torch.no_grad():
        torch.testing.assert_close(
            look(images),
            reference(pixels, model.state_dict() | dict(model.named_parameters())),
            rtol=1e-4,
            atol=1e-5,
        )


def test_the_threshold_of_the_robust_network_starts_in_the_middle() -> None:
    model = RobustCNN()
    assert (model.slope.item(), model.threshold.item()) == (15, 0.5)


@pytest.mark.parametrize("network", [DeepCNN, DeeperCNN])
def test_columns_learn_from_a_half_of_each_batch(network: type[TwoColumns]) -> None:
    torch.manual_seed(0)
    model, images = network(batchnorm=False), torch.rand(4, 1, 28, 28)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            assert module.p == 0.3
            module.p = 0
    first, second = model.columns
    torch.testing.assert_close(
        model.train()(images), torch.cat([first(images[:2]), second(images[2:])])
    )
    assert model(images[:1]).shape == (1, 10)


def test_what_is_not_learnt_is_not_kept() -> None:
    assert "cosines" not in FastCNN().state_dict()


OTHER = [
    (DigitCNN, {"batchnorm": False, "classes": 4}),
    (FastCNN, {"batchnorm": False, "classes": 4}),
    (DeepCNN, {"batchnorm": False, "classes": 4}),
    (DeeperCNN, {"batchnorm": False, "classes": 4}),
    (RobustCNN, {"classes": 4, "convolutions": 3}),
    (DigitMLP, {"classes": 4}),
    (LeNet, {}),
    (
        CharGRU,
        {
            "letters": 9,
            "classes": 3,
            "hidden": 5,
            "layers": 2,
            "bidirectional": True,
            "dropout": 0.5,
            "cell": "lstm",
            "embedding": 4,
            "readout": "mean",
        },
    ),
    (
        NgramBag,
        {
            "letters": 9,
            "classes": 3,
            "longest": 2,
            "buckets": 2**4,
            "width": 3,
            "hidden": 5,
            "dropout": 0.5,
            "slots": 2**3,
            "known": 4,
            "apart": True,
        },
    ),
    (
        CurveMLP,
        {"activation": "tanh", "x_mean": 1.0, "x_scale": 2.0, "y_mean": 3.0, "y_scale": 4.0},
    ),
]


@pytest.mark.parametrize(("network", "given"), OTHER)
def test_a_network_keeps_what_makes_it_again(network: Any, given: dict[str, Any]) -> None:
    model, plain = network(**given), network()
    assert model.arguments == given
    varied = getattr(model, "variation", {}).keys()
    assert plain.arguments.keys() == given.keys() - varied
    shapes = {name: weights.shape for name, weights in model.state_dict().items()}
    again = network(**model.arguments).state_dict()
    assert {name: weights.shape for name, weights in again.items()} == shapes
    default = network(**plain.arguments).state_dict()
    assert [weights.shape for weights in default.values()] == [
        weights.shape for weights in plain.state_dict().values()
    ]
    if "classes" in given:
        assert list(shapes.values())[-1] in {(given["classes"],), (2**18 + 1, given["classes"])}


def test_drifting_noise_is_that_of_its_paper() -> None:
    """A mean within 0.5 and a scale from 1 to 1.25 a channel and step; images a tenth around."""
    torch.manual_seed(0)
    noise, zeros = DriftingNoise(), torch.zeros(4000, 6, 2, 2)
    assert torch.equal(noise.eval()(zeros), zeros)
    noise.train()
    steps = [(noise(zeros), noise(zeros)) for _ in range(10)]
    means = torch.stack([first.mean((0, 2, 3)) for first, _ in steps])
    assert means.abs().max() < 0.5 + 0.01
    assert means.abs().max() > 0.4
    assert means.mean() == pytest.approx(0, abs=0.15)
    assert means.unique().numel() == 60
    shift = steps[0][0] - means[0][:, None, None]
    assert shift.var((2, 3)).max() < 1e-9  # all pixels of an image alike
    assert shift.abs().max() == pytest.approx(0.1, abs=0.005)
    assert shift.var().item() == pytest.approx(0.1**2 / 3, rel=0.1)

    def drawn(x: Tensor) -> Tensor:
        torch.manual_seed(1)
        return noise(x)

    scale = drawn(zeros + 1) - drawn(zeros)
    middles = scale.mean((0, 2, 3))
    assert middles.min() > 1 - 0.01
    assert middles.max() < 1.25 + 0.01
    assert middles.max() - middles.min() > 0.05
    assert (scale - scale.mean(0)).std().item() == pytest.approx(0.1, rel=0.03)


def test_the_arms_of_the_ablation_start_from_the_same_weights() -> None:
    torch.manual_seed(3)
    with_norm = DigitCNN().state_dict()
    torch.manual_seed(3)
    for name, weights in DigitCNN(batchnorm=False).state_dict().items():
        assert torch.equal(weights, with_norm[name])


def test_curve_scaling_is_inside_the_network() -> None:
    torch.manual_seed(0)
    plain = CurveMLP()
    scaled = CurveMLP(x_mean=10, x_scale=2, y_mean=-1, y_scale=3)
    scaled.load_state_dict(plain.state_dict())
    x = torch.linspace(-1, 1, 5)[:, None]
    torch.testing.assert_close(scaled(10 + 2 * x), 3 * plain(x) - 1)


@pytest.mark.parametrize(
    ("network", "places"),
    [
        (FastCNN, [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]),
        (DeepCNN, [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]),
        (DeeperCNN, [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]),
    ],
)
def test_once_trained_networks_give_the_mean_of_looks(
    network: type[FastCNN | TwoColumns], places: list[tuple[int, int]]
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

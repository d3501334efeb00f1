"""The networks are those of the report."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.models.digits import DigitCNN, FastCNN, LeNet
from dlproj.models.langid import CharGRU
from dlproj.models.regression import CurveMLP


def count(model: nn.Module) -> int:
    return sum(weights.numel() for weights in model.parameters())


def test_parameter_counts() -> None:
    assert count(DigitCNN()) == 829_030
    assert count(DigitCNN(batchnorm=False)) == 828_806
    assert abs(sum(value.numel() for value in DigitCNN().state_dict().values()) - 829_145) <= 115
    assert count(FastCNN()) == 215_306
    assert count(LeNet()) == 431_080
    assert count(CurveMLP()) == 901
    assert count(CharGRU()) == 3 * 128 * (47 + 128 + 2) + 129 * 5


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

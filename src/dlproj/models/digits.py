"""Networks that name the class of a 28x28 image."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MNIST_MEAN = 0.1307
MNIST_DEVIATION = 0.3081
SQUARE = [(y, x) for y in range(3) for x in range(3)]  # 1, 1 is where the image is
CROSS = [(y, x) for y, x in SQUARE if 1 in (y, x)]


class DigitCNN(nn.Module):
    """The report's network (Task 1): 829,030 parameters, 828,806 without BatchNorm.

    Three 3x3 convolutions without padding; BatchNorm (Ioffe & Szegedy 2015) and ReLU after each;
    2x2 max-pooling after the second and the third; two linear layers.
    """

    def __init__(self, *, batchnorm: bool = True, classes: int = 10) -> None:
        super().__init__()
        self.arguments = {"batchnorm": batchnorm, "classes": classes}
        norm = nn.BatchNorm2d if batchnorm else lambda _: nn.Identity()
        self.conv1, self.norm1 = nn.Conv2d(1, 16, 3), norm(16)
        self.conv2, self.norm2 = nn.Conv2d(16, 32, 3), norm(32)
        self.conv3, self.norm3 = nn.Conv2d(32, 64, 3), norm(64)
        self.hidden = nn.Linear(64 * 5 * 5, 500)
        self.output = nn.Linear(500, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, classes)."""
        x = (images - MNIST_MEAN) / MNIST_DEVIATION
        x = F.relu(self.norm1(self.conv1(x)))  # (batch, 16, 26, 26)
        # ReLU keeps order, so it may follow the pooling, where it has a quarter of the work.
        x = F.relu(F.max_pool2d(self.norm2(self.conv2(x)), 2))  # (batch, 32, 12, 12)
        x = F.relu(F.max_pool2d(self.norm3(self.conv3(x)), 2))  # (batch, 64, 5, 5)
        return self.output(F.relu(self.hidden(x.flatten(1))))


class FastCNN(nn.Module):
    """A fixed and a learnt convolution, BatchNorm, ReLU, and a linear layer: 14,986 parameters.

    The first takes 5x5 patches, two pixels apart, to the twelve slowest functions of the discrete
    cosine transform, each with both signs (CReLU, Shang et al. 2016). As nothing of it is learnt,
    no gradient is computed for it: half the time of a step. Then 3x3 to 32 channels with 2x2
    max-pooling and linear 800 -> 10: 3 million operations for an image forward and back. Once
    trained, it looks at each image in five places.
    """

    cosines: Tensor

    def __init__(self, *, batchnorm: bool = True, classes: int = 10) -> None:
        super().__init__()
        self.arguments = {"batchnorm": batchnorm, "classes": classes}
        cosines = slowest_cosines(5, count=12)
        self.register_buffer("cosines", torch.cat([cosines, -cosines]), persistent=False)
        self.conv = nn.Conv2d(24, 32, 3, bias=not batchnorm)
        self.norm = nn.BatchNorm2d(32) if batchnorm else nn.Identity()
        self.output = nn.Linear(5 * 5 * 32, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, classes)."""
        return self.look(images) if self.training else mean_of_looks(self.look, images, CROSS)

    def look(self, images: Tensor) -> Tensor:
        """Logits of the images as they are."""
        x = (images - MNIST_MEAN) / MNIST_DEVIATION
        x = F.relu(F.conv2d(x, self.cosines, stride=2))  # (batch, 24, 12, 12)
        x = F.relu(self.norm(F.max_pool2d(self.conv(x), 2)))  # (batch, 32, 5, 5)
        # Channels last, as they lie in memory: so the gradients do, too.
        return self.output(x.permute(0, 2, 3, 1).flatten(1))


def slowest_cosines(side: int, count: int) -> Tensor:
    """Functions of the two-dimensional DCT-II (Ahmed et al. 1974): (count, 1, side, side).

    They are orthonormal, those of the lowest frequency first.
    """
    places, frequencies = torch.arange(side) + 0.5, torch.arange(side)
    # Row f is cos(π/side · f · (place + 1/2)), and at length one.
    waves = (math.pi / side * frequencies[:, None] * places).cos()
    waves /= waves.norm(dim=1, keepdim=True)
    pairs = torch.cartesian_prod(frequencies, frequencies)
    slowest = pairs[pairs.square().sum(1).argsort(stable=True)[:count]]
    return torch.einsum("fy,fx->fyx", waves[slowest[:, 0]], waves[slowest[:, 1]])[:, None]


def mean_of_looks(
    look: Callable[[Tensor], Tensor], images: Tensor, places: Sequence[tuple[int, int]]
) -> Tensor:
    """Logarithm of the mean of the probabilities of images that are moved by up to a pixel.

    Args:
        look: takes images (batch, 1, height, width) to logits (batch, classes).
        images: (batch, 1, height, width).
        places: how far each look is moved down and to the right: 1 is not at all.
    """
    height, width = images.shape[-2:]
    padded = F.pad(images, (1, 1, 1, 1))
    return mean_probability([look(padded[:, :, y : y + height, x : x + width]) for y, x in places])


def mean_probability(logits: list[Tensor]) -> Tensor:
    """Logarithm of the mean of the probabilities of logits (batch, classes)."""
    # log(mean(p)) = logsumexp(log p) - log(n), which does not leave the range of numbers.
    return torch.stack(logits).log_softmax(-1).logsumexp(0) - math.log(len(logits))


class TwoColumns(nn.Module):
    """Two columns (Ciresan et al. 2012), networks alike but for their weights.

    In training, each learns from its half of every batch. Once trained, both look at each image in
    nine places, moved by up to a pixel, and the mean of the probabilities counts.
    """

    column: Callable[..., nn.Module]

    def __init__(self, *, batchnorm: bool = True, classes: int = 10) -> None:
        super().__init__()
        self.arguments = {"batchnorm": batchnorm, "classes": classes}
        columns = [type(self).column(batchnorm=batchnorm, classes=classes) for _ in range(2)]
        self.columns = nn.ModuleList(columns)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, classes)."""
        if not self.training:
            return mean_of_looks(self.look, images, SQUARE)
        shares = images.tensor_split(len(self.columns))
        pairs = zip(self.columns, shares, strict=True)
        return torch.cat([column(share) for column, share in pairs])

    def look(self, images: Tensor) -> Tensor:
        """Logits of the images as they are."""
        return mean_probability([column(images) for column in self.columns])


class Column(nn.Module):
    """Convolutions to 64 channels of 4x4, dropout and one linear layer, 1024 to the classes."""

    def __init__(self, *convolutions: nn.Module, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*convolutions)
        self.dropout = nn.Dropout(0.3)
        self.output = nn.Linear(64 * 4 * 4, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, classes)."""
        x = self.features((images - MNIST_MEAN) / MNIST_DEVIATION)
        return self.output(self.dropout(x.flatten(1)))


def convolution(
    inputs: int, outputs: int, size: int = 3, *, stride: int = 1, padding: int = 0, norm: bool
) -> nn.Sequential:
    """A convolution, BatchNorm if asked for, and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding, bias=not norm),
        nn.BatchNorm2d(outputs) if norm else nn.Identity(),
        nn.ReLU(),
    )


def pooled(block: nn.Sequential) -> tuple[nn.Module, nn.Module]:
    """A block with 2x2 max-pooling behind it.

    ReLU keeps order, so it may follow the pooling, where it has a quarter of the work.
    """
    return block[:2], nn.Sequential(nn.MaxPool2d(2), nn.ReLU())


def deep_column(*, batchnorm: bool, classes: int) -> Column:
    """Five convolutions.

    5x5 to 32 channels with stride 2; 3x3 to 32 and to 64, 2x2 max-pooling; twice 3x3 to 64.
    """
    block = partial(convolution, norm=batchnorm)
    return Column(
        block(1, 32, 5, stride=2, padding=2),  # (batch, 32, 14, 14)
        block(32, 32, padding=1),
        *pooled(block(32, 64)),  # (batch, 64, 6, 6)
        block(64, 64, padding=1),
        block(64, 64),  # (batch, 64, 4, 4)
        classes=classes,
    )


def deeper_column(*, batchnorm: bool, classes: int) -> Column:
    """Six convolutions, the first two of them at full size.

    5x5 to 16 channels and 3x3 to 32, 2x2 max-pooling; 3x3 to 32 and to 64, 2x2 max-pooling; twice
    3x3 to 64.
    """
    block = partial(convolution, norm=batchnorm)
    return Column(
        block(1, 16, 5, padding=2),  # (batch, 16, 28, 28)
        *pooled(block(16, 32, padding=1)),  # (batch, 32, 14, 14)
        block(32, 32, padding=1),
        *pooled(block(32, 64)),  # (batch, 64, 6, 6)
        block(64, 64, padding=1),
        block(64, 64),  # (batch, 64, 4, 4)
        classes=classes,
    )


class DeepCNN(TwoColumns):
    """Two columns of five convolutions: 225,876 parameters.

    39 million operations for an image forward and back.
    """

    column = staticmethod(deep_column)


class DeeperCNN(TwoColumns):
    """Two columns of six convolutions, which begin at full size: 234,356 parameters.

    61 million operations for an image forward and back.
    """

    column = staticmethod(deeper_column)


class RobustCNN(nn.Module):
    """For adversarial training: a learnt threshold of the pixels before three convolutions.

    Adversarially trained networks make their first layer into thresholds of single pixels (Madry
    et al. 2018, appendix C), which a change of 0.3 seldom carries an MNIST pixel across. Here it
    is one from the start; a sigmoid, so that no gradient vanishes and attacks can see their way.
    4x4 convolutions with stride 2 to 32 and 64 channels, a 3x3 convolution, linear 3136 -> 200 ->
    10: 699,716 parameters, twice the width of Wong et al. 2020.

    Args:
        convolutions: 3, or 2 as in files of version 0.1.0.
    """

    def __init__(self, *, classes: int = 10, convolutions: int = 2) -> None:
        super().__init__()
        self.arguments = {"classes": classes, "convolutions": convolutions}
        self.slope = nn.Parameter(torch.tensor(15.0))
        self.threshold = nn.Parameter(torch.tensor(0.5))
        self.conv1 = nn.Conv2d(1, 32, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 4, stride=2, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1) if convolutions == 3 else nn.Identity()
        self.hidden = nn.Linear(64 * 7 * 7, 200)
        self.output = nn.Linear(200, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, classes)."""
        # At the slope of 15 a black pixel gives 0.0006, and one that is 0.3 lighter 0.05: the rest
        # of the network hardly sees the change.
        x = torch.sigmoid(self.slope * (images - self.threshold))
        # The first convolution as one of 2x2 over squares of 2x2 pixels: the gradient of one
        # channel takes four times as long.
        x = F.pixel_unshuffle(F.pad(x, (1, 1, 1, 1)), 2)  # (batch, 4, 15, 15)
        x = F.conv2d(x, F.pixel_unshuffle(self.conv1.weight, 2), self.conv1.bias)
        x = F.relu(self.conv2(F.relu(x)))  # (batch, 64, 7, 7)
        x = F.relu(self.conv3(x))
        # Channels last, as they lie in memory: so the gradients do, too.
        weight = self.hidden.weight.view(-1, 64, 7, 7).permute(0, 2, 3, 1).flatten(1)
        x = F.linear(x.permute(0, 2, 3, 1).flatten(1), weight, self.hidden.bias)
        return self.output(F.relu(x))


class DigitMLP(nn.Module):
    """One hidden layer of 256 units: what reads digits without looking at neighbourhoods."""

    def __init__(self, *, classes: int = 10) -> None:
        super().__init__()
        self.arguments = {"classes": classes}
        self.hidden = nn.Linear(28 * 28, 256)
        self.output = nn.Linear(256, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, classes)."""
        x = (images - MNIST_MEAN) / MNIST_DEVIATION
        return self.output(F.relu(self.hidden(x.flatten(1))))


class LeNet(nn.Module):
    """The course's classifier for attacks: two 5x5 convolutions and two linear layers (431,080)."""

    def __init__(self) -> None:
        super().__init__()
        self.arguments: dict[str, object] = {}
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(50 * 4 * 4, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) in [0, 1] to logits (batch, 10)."""
        x = (images - MNIST_MEAN) / MNIST_DEVIATION
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (batch, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (batch, 50, 4, 4)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))

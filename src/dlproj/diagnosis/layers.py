"""What the layers of the report's network do: the filters of the first, and the pooling."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.models.digits import MNIST_DEVIATION, MNIST_MEAN, DigitCNN, slowest_cosines

EDGES = 2  # functions of the cosine transform that are slopes in one direction
RIDGE = 1e-3  # of the mean of the kernel's diagonal


def edge_share(filters: Tensor) -> float:
    """Share of the energy of 3x3 filters (n, 1, 3, 3), without their mean, that answers to edges.

    Edges are the two slowest functions of the cosine transform but the constant: a slope from left
    to right and one from top to bottom. Of random filters they have a quarter.
    """
    functions = slowest_cosines(3, 9).flatten(1).to(filters)
    energy = (filters.detach().flatten(1) @ functions.T).square().sum(0)
    return float(energy[1 : 1 + EDGES].sum() / energy[1:].sum())


def untrained(seed: int, *, batchnorm: bool = True) -> DigitCNN:
    """The network as its training with this seed found it."""
    torch.manual_seed(seed)
    return DigitCNN(batchnorm=batchnorm)


@torch.no_grad()
def around_pooling(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """What the last pooling is given of images, and what it gives on, each flat: (n, features)."""
    net = model.eval()
    x = (images - MNIST_MEAN) / MNIST_DEVIATION
    conv1, conv2, conv3 = (net.get_submodule(f"conv{n}") for n in (1, 2, 3))
    norm1, norm2, norm3 = (net.get_submodule(f"norm{n}") for n in (1, 2, 3))
    x = F.relu(norm1(conv1(x)))
    x = F.max_pool2d(F.relu(norm2(conv2(x))), 2)
    x = F.relu(norm3(conv3(x)))  # (n, 64, 10, 10)
    return x.flatten(1), F.max_pool2d(x, 2).flatten(1)


def linear_accuracy(known: Tensor, labels: Tensor, features: Tensor, truth: Tensor) -> float:
    """Accuracy of a linear reader (ridge regression) of features.

    Args:
        known: features of the images it learns from (m, features).
        labels: of those (m,).
        features: of those it is tested on (n, features).
        truth: their labels (n,).
    """
    kernel = known @ known.T
    strength = RIDGE * kernel.diagonal().mean()
    targets = F.one_hot(labels, 10).to(known)
    weights = torch.linalg.solve(kernel + strength * torch.eye(len(known)), targets)
    return ((features @ known.T) @ weights).argmax(1).eq(truth).double().mean().item()


def doubted(wrong: Tensor) -> dict[str, list[float]]:
    """Of the images that one network misreads, how many do most of the others misread, too?

    Args:
        wrong: whether each network misreads each image (networks, images).

    Returns:
        of each network: `misread`, the share of the images; `too`, of those, the share that most of
        the others misread; `else`, the same of those that it reads rightly.
    """
    shares: dict[str, list[float]] = {"misread": [], "too": [], "else": []}
    for index, own in enumerate(wrong):
        others = torch.cat([wrong[:index], wrong[index + 1 :]]).double().mean(0) > 0.5
        shares["misread"].append(own.double().mean().item())
        shares["too"].append(others[own].double().mean().item() if own.any() else 0.0)
        shares["else"].append(others[~own].double().mean().item())
    return shares

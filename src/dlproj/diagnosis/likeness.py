"""How alike two pictures of a digit are: to a formula, and to a reader that has no network."""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW, DEVIATION = 11, 1.5  # of the Gaussian that SSIM looks through
SMALL = (0.01**2, 0.03**2)  # that keep its quotients finite, for pixels in [0, 1]
NEIGHBOURS = 3
AT_ONCE = 100  # images that are compared with all others


def similarity(one: Tensor, other: Tensor) -> Tensor:
    """Structural similarity (n,) of images (n, 1, height, width) in [0, 1]; 1 of equal ones.

    The mean of SSIM (Wang et al. 2004, equation 13) over all places of its window.
    """
    places = torch.arange(WINDOW, dtype=one.dtype, device=one.device) - WINDOW // 2
    line = torch.exp(-(places**2) / (2 * DEVIATION**2))
    window = (line[:, None] * line)[None, None] / line.sum() ** 2

    def blur(images: Tensor) -> Tensor:
        return F.conv2d(images, window)

    mean, mean_other = blur(one), blur(other)
    variance = blur(one * one) - mean * mean
    variance_other = blur(other * other) - mean_other * mean_other
    covariance = blur(one * other) - mean * mean_other
    near, far = SMALL
    ratio = (2 * mean * mean_other + near) * (2 * covariance + far)
    ratio /= (mean**2 + mean_other**2 + near) * (variance + variance_other + far)
    return ratio.mean((1, 2, 3))


def nearest_vote(images: Tensor, known: Tensor, labels: Tensor) -> Tensor:
    """The label (n,) that most of the three nearest known images have, by distance of pixels.

    Of three different labels, that of the nearest counts.

    Args:
        images: (n, 1, height, width).
        known: (m, 1, height, width), m at least 3.
        labels: of the known ones (m,).
    """
    flat = known.flatten(1)
    votes = []
    for batch in images.flatten(1).split(AT_ONCE):
        nearest = torch.cdist(batch, flat).topk(NEIGHBOURS, largest=False).indices
        first, second, third = labels[nearest].unbind(1)
        votes.append(torch.where(second == third, second, first))
    return torch.cat(votes)

"""DeepFool: to the nearest plane, again and again (Moosavi-Dezfooli et al. 2016)."""

import math

import torch
from torch import Tensor, nn

from dlproj.attacks.arguments import checked
from dlproj.attacks.common import SMALLEST, direction, fooled, lengths, per_image
from dlproj.attacks.minimal.plane import dual, nearest_plane, plane_around

BEYOND = 1e-4  # added to each step, as in the authors' code: clipped steps alone never get across


@checked
def deepfool(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float = math.inf,
    steps: int = 50,
    overshoot: float = 0.02,
    norm: str = "linf",
    targeted: bool = False,
) -> Tensor:
    """The images at about the smallest change that has them misread (algorithm 2 and section 3.3).

    Each step takes the network as linear and goes to the nearest plane on which another class meets
    the label. The sum of the steps is made longer by the share `overshoot`, and kept in [0, 1].
    Images that stay read rightly, or whose change is larger than `epsilon`, come back as they were.
    Without `epsilon`, any change will do.
    """
    adversarial, change = images.clone(), torch.zeros_like(images)
    rows = torch.arange(len(images), device=images.device)
    here = images
    for step in range(steps + 1):
        if targeted:
            logits, lead, slope = plane_around(model, here, labels[rows])
        else:
            logits, lead, slope = nearest_plane(model, here, labels[rows], norm)
        misread = fooled(logits, labels[rows], targeted=targeted)
        small = lengths(here - images[rows], norm) <= epsilon
        adversarial[rows[misread & small]] = here[misread & small]
        # The look after the last step only tells whom it fooled.
        if misread.all() or step == steps:
            break
        rows, lead, slope, change = (each[~misread] for each in (rows, lead, slope, change))
        # Where a linear function is 0 lies |value| / |slope| away, the slope measured in the dual
        # norm.
        size = lead.abs() / dual(slope, norm).clamp(min=SMALLEST) + BEYOND
        change = change + per_image(size, slope) * direction(slope, norm)
        # From the image, not from the last point: the overshoot lengthens the whole way.
        here = (images[rows] + (1 + overshoot) * change).clamp(0, 1)
    return adversarial

"""Attacks that follow the sign or direction of the gradient in steps of a fixed size."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from dlproj.attacks.arguments import checked
from dlproj.attacks.common import (
    SMALLEST,
    clip,
    cross_entropy,
    direction,
    loss_gradient,
    per_image,
    project,
    start_at_random,
)


@checked
def fgsm(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    norm: str = "linf",
    targeted: bool = False,
) -> Tensor:
    """Fast Gradient Sign Method: one step of full length (Goodfellow et al. 2015, section 4)."""
    # All of epsilon at once, as if the loss rose everywhere as it does at the images.
    gradient = loss_gradient(model, images, labels, targeted=targeted)
    return clip(images + epsilon * direction(gradient, norm), images, epsilon, norm)


@checked
def fgsm_sweep(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilons: Sequence[float],
    norm: str = "linf",
    targeted: bool = False,
) -> Tensor:
    """FGSM at each epsilon: (epsilons, batch, ...).

    All start at the images themselves, where they have one gradient. So one is computed.
    """
    gradient = loss_gradient(model, images, labels, targeted=targeted)
    step = direction(gradient, norm)
    made = [clip(images + epsilon * step, images, epsilon, norm) for epsilon in epsilons]
    return torch.stack(made)


@checked
def bim(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 10,
    step_size: float | None = None,
    norm: str = "linf",
    targeted: bool = False,
) -> Tensor:
    """Basic Iterative Method: FGSM in small steps (Kurakin et al. 2017)."""
    return _climb(
        model,
        images,
        images,
        labels,
        epsilon=epsilon,
        steps=steps,
        step_size=step_size,
        norm=norm,
        targeted=targeted,
        keep=clip,
    )


@checked
def mifgsm(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 10,
    step_size: float | None = None,
    decay: float = 1.0,
    norm: str = "linf",
    targeted: bool = False,
) -> Tensor:
    """Momentum Iterative FGSM: along a running sum of gradients (Dong et al. 2018)."""
    step_size = step_size or 2.5 * epsilon / steps
    adversarial, momentum = images, torch.zeros_like(images)
    for _ in range(steps):
        gradient = loss_gradient(model, adversarial, labels, targeted=targeted)
        # Gradients differ in size from step to step; at one size, each counts alike in the sum.
        size = per_image(gradient.flatten(1).abs().mean(1), gradient)
        momentum = decay * momentum + gradient / size.clamp(min=SMALLEST)
        moved = adversarial + step_size * direction(momentum, norm)
        adversarial = project(moved, images, epsilon, norm)
    return adversarial


@checked
def pgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 10,
    step_size: float | None = None,
    restarts: int = 1,
    norm: str = "linf",
    targeted: bool = False,
    random_start: bool = True,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Projected Gradient Descent from random starts, or the images (Madry et al. 2018).

    Of several restarts, each image keeps the one with the highest loss (lowest if targeted).
    """

    def climb() -> Tensor:
        start = start_at_random(images, epsilon, norm, generator) if random_start else images
        return _climb(
            model,
            start,
            images,
            labels,
            epsilon=epsilon,
            steps=steps,
            step_size=step_size,
            norm=norm,
            targeted=targeted,
            keep=project,
        )

    def losses(made: Tensor) -> Tensor:
        with torch.no_grad():
            own = cross_entropy(model(made), labels)
        return -own if targeted else own

    best = climb()
    for _ in range(restarts - 1):
        other = climb()
        better = losses(other) > losses(best)
        best = torch.where(per_image(better, images), other, best)
    return best


def _climb(
    model: nn.Module,
    start: Tensor,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int,
    step_size: float | None,
    norm: str,
    targeted: bool,
    keep: Callable[[Tensor, Tensor, float, str], Tensor],
) -> Tensor:
    """Steps along the gradient from `start`, each brought back by `keep` to within `epsilon`."""
    # 2.5 times what reaches epsilon: so any start can reach any border, and move along it (Madry et
    # al. 2018, section 5).
    step_size = step_size or 2.5 * epsilon / steps
    adversarial = start
    for _ in range(steps):
        gradient = loss_gradient(model, adversarial, labels, targeted=targeted)
        # Steps of one size, however flat the loss is here.
        moved = adversarial + step_size * direction(gradient, norm)
        adversarial = keep(moved, images, epsilon, norm)
    return adversarial

"""Adversarial examples: small changes of an image that change what a network sees in it.

Every attack takes images (batch, ...) in [0, 1] and integer labels (batch,), and returns images
of the same shape, in [0, 1], none further than `epsilon` from the original: in the largest change
of a pixel ("linf"), or in the Euclidean length of the whole change ("l2"). The model is used in
evaluation mode, its weights are not touched, and its mode is restored. With `targeted`, the
labels are the classes to be seen; otherwise, those not to be.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALLEST = 1e-12  # keeps a division by the length of a zero gradient finite


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
    with frozen(model):
        gradient = loss_gradient(model, images, labels, targeted=targeted)
        return project(images + epsilon * direction(gradient, norm), images, epsilon, norm)


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
    with frozen(model):
        return _climb(
            model, images, images, labels, epsilon=epsilon, steps=steps, step_size=step_size,
            norm=norm, targeted=targeted,
        )  # fmt: skip


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
    with frozen(model):
        for _ in range(steps):
            gradient = loss_gradient(model, adversarial, labels, targeted=targeted)
            size = per_image(gradient.flatten(1).abs().mean(1), gradient)
            momentum = decay * momentum + gradient / size.clamp(min=SMALLEST)
            moved = adversarial + step_size * direction(momentum, norm)
            adversarial = project(moved, images, epsilon, norm)
    return adversarial


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
    generator: torch.Generator | None = None,
) -> Tensor:
    """Projected Gradient Descent from random starts (Madry et al. 2018).

    Of several restarts, each image keeps the one with the highest loss (lowest if targeted).
    """
    best, best_loss = images, torch.full(labels.shape, -torch.inf, device=images.device)
    with frozen(model):
        for _ in range(restarts):
            start = random_start(images, epsilon, norm, generator)
            adversarial = _climb(
                model, start, images, labels, epsilon=epsilon, steps=steps, step_size=step_size,
                norm=norm, targeted=targeted,
            )  # fmt: skip
            loss = _losses(model, adversarial, labels, targeted=targeted)
            best = torch.where(per_image(loss > best_loss, images), adversarial, best)
            best_loss = torch.maximum(loss, best_loss)
    return best


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, computing no gradients for its weights; then as before."""
    training = model.training
    wanted = [weights for weights in model.parameters() if weights.requires_grad]
    model.eval()
    for weights in wanted:
        weights.requires_grad_(False)
    try:
        yield
    finally:
        model.train(training)
        for weights in wanted:
            weights.requires_grad_()


def loss_gradient(
    model: nn.Module, images: Tensor, labels: Tensor, *, targeted: bool = False
) -> Tensor:
    """Gradient of the mean cross-entropy by the images; its negative if targeted."""
    images = images.detach().requires_grad_()
    loss = F.cross_entropy(model(images), labels)
    (gradient,) = torch.autograd.grad(-loss if targeted else loss, images)
    return gradient


def direction(gradient: Tensor, norm: str) -> Tensor:
    """The step of length one in `norm` that raises the loss the most."""
    if norm == "linf":
        return gradient.sign()
    length = per_image(gradient.flatten(1).norm(dim=1), gradient)
    return gradient / length.clamp(min=SMALLEST)


def project(moved: Tensor, images: Tensor, epsilon: float, norm: str) -> Tensor:
    """The nearest images to `moved` within `epsilon` of `images` and in [0, 1]."""
    if norm == "linf":
        return moved.clamp(images - epsilon, images + epsilon).clamp(0, 1)
    change = moved - images
    length = per_image(change.flatten(1).norm(dim=1), change)
    return (images + change * (epsilon / length.clamp(min=SMALLEST)).clamp(max=1)).clamp(0, 1)


def random_start(
    images: Tensor, epsilon: float, norm: str, generator: torch.Generator | None
) -> Tensor:
    """Images moved at random, by at most `epsilon`."""
    if norm == "linf":
        noise = torch.rand(images.shape, generator=generator).to(images.device) * 2 - 1
        return project(images + epsilon * noise, images, epsilon, norm)
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    share = torch.rand(len(images), generator=generator).to(images.device)
    radius = per_image(epsilon * share ** (1 / noise[0].numel()), noise)
    return project(images + radius * direction(noise, norm), images, epsilon, norm)


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """One value for each image, (batch,), shaped to meet (batch, ...)."""
    return values.view(-1, *[1] * (images.ndim - 1))


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
) -> Tensor:
    """Steps along the gradient from `start`, each brought back to within `epsilon` of `images`."""
    step_size = step_size or 2.5 * epsilon / steps
    adversarial = start
    for _ in range(steps):
        gradient = loss_gradient(model, adversarial, labels, targeted=targeted)
        moved = adversarial + step_size * direction(gradient, norm)
        adversarial = project(moved, images, epsilon, norm)
    return adversarial


@torch.no_grad()
def _losses(model: nn.Module, images: Tensor, labels: Tensor, *, targeted: bool) -> Tensor:
    losses = F.cross_entropy(model(images), labels, reduction="none")
    return -losses if targeted else losses

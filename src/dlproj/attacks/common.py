"""What the attacks share: norms, projections, gradients and losses."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.errors import UsageError

SMALLEST = 1e-12  # keeps a division by the length of a zero gradient finite


def gradient_by(images: Tensor, values: Tensor, *, again: bool = False) -> Tensor:
    """Gradient by the images of the sum of what a model made of them; `again` allows another.

    Raises:
        UsageError: the model cuts the way from its logits back to the images.
    """
    gradient = None
    # A model may hold weights that are no parameters of it: what it makes has a gradient by those.
    if values.requires_grad:
        (gradient,) = torch.autograd.grad(
            values.sum(), images, retain_graph=again, allow_unused=True
        )
    if gradient is None:
        raise UsageError(
            "the model's logits have no gradient by the images (it detaches them, or computes "
            "under no_grad): square is the attack that needs none"
        )
    return gradient


def loss_gradient(
    model: nn.Module, images: Tensor, labels: Tensor, *, targeted: bool = False
) -> Tensor:
    """Gradient of the mean cross-entropy by the images; its negative if targeted."""
    images = images.detach().requires_grad_()
    # The mean makes each gradient smaller by the batch, which its sign and its direction do not
    # see.
    loss = F.cross_entropy(model(images), labels)
    return gradient_by(images, -loss if targeted else loss)


def direction(gradient: Tensor, norm: str) -> Tensor:
    """The step of length one in `norm` that raises the loss the most."""
    if norm == "linf":
        return gradient.sign()
    length = per_image(gradient.flatten(1).norm(dim=1), gradient)
    # A gradient of zero stays zero: such an image does not move.
    return gradient / length.clamp(min=SMALLEST)


def project(moved: Tensor, images: Tensor, epsilon: float, norm: str) -> Tensor:
    """The nearest images to `moved` within `epsilon` of `images` and in [0, 1]."""
    change = moved - images
    if norm == "linf":
        # The images are in [0, 1] themselves, so that to clamp there leads no pixel farther away.
        return (images + change.clamp(-epsilon, epsilon)).clamp(0, 1)
    length = per_image(change.flatten(1).norm(dim=1), change)
    # Of a change within epsilon the factor is above 1, and clamped: it stays as it is.
    return (images + change * (epsilon / length.clamp(min=SMALLEST)).clamp(max=1)).clamp(0, 1)


def clip(moved: Tensor, images: Tensor, epsilon: float, norm: str) -> Tensor:
    """As `project`; for linf by bounds on each pixel, which rounds otherwise (Kurakin et al.)."""
    if norm == "linf":
        return moved.clamp(images - epsilon, images + epsilon).clamp(0, 1)
    return project(moved, images, epsilon, norm)


def start_at_random(
    images: Tensor, epsilon: float, norm: str, generator: torch.Generator | None
) -> Tensor:
    """Images moved at random, by at most `epsilon`."""
    if norm == "linf":
        noise = drawn(torch.rand, images.shape, images, generator) * 2 - 1
        return project(images + epsilon * noise, images, epsilon, norm)
    noise = drawn(torch.randn, images.shape, images, generator)
    share = drawn(torch.rand, images.shape[:1], images, generator)
    # In d dimensions a ball of radius r has r^d of the volume: even draws take the d-th root.
    radius = per_image(epsilon * share ** (1 / noise[0].numel()), noise)
    return project(images + radius * direction(noise, norm), images, epsilon, norm)


def drawn(
    draw: Callable[..., Tensor],
    shape: torch.Size,
    images: Tensor,
    generator: torch.Generator | None,
) -> Tensor:
    """Random numbers, the same whatever the precision and the device of the images are."""
    return draw(shape, generator=generator, dtype=torch.float32, device="cpu").to(images)


def lengths(change: Tensor, norm: str) -> Tensor:
    """How large changes (batch, ...) are in `norm`: (batch,)."""
    flat = change.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """One value for each image, (batch,), shaped to meet (batch, ...)."""
    return values.view(-1, *[1] * (images.ndim - 1))


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Of each image: (batch, classes) and (batch,) to (batch,)."""
    return F.cross_entropy(logits, labels, reduction="none")


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """How far the label's logit (batch,) is above the highest other; below 0 it is misread."""
    # The label's own logit becomes -inf, so that the maximum is over the others.
    others = logits.scatter(1, labels[:, None], -torch.inf).amax(1)
    return logits.gather(1, labels[:, None])[:, 0] - others


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Difference of Logits Ratio (batch,) (Croce & Hein 2020, equation 6).

    The negative margin by the distance from the highest logit to the third: scaling the logits
    changes nothing. Of two classes there is no third, and the ratio would be 1 or -1 whatever the
    images are: there it is the negative margin alone.
    """
    if logits.shape[1] == 2:
        return -margin(logits, labels)
    highest = logits.topk(min(3, logits.shape[1])).values  # (batch, 3), falling
    return -margin(logits, labels) / (highest[:, 0] - highest[:, -1] + SMALLEST)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The same towards one other class each (Croce & Hein 2020, equation 7)."""
    own, aim = (logits.gather(1, classes[:, None])[:, 0] for classes in (labels, targets))
    if logits.shape[1] == 2:
        return aim - own
    # Not DLR's own scale: with the label first and the aim third, the ratio would be constant.
    highest = logits.topk(min(4, logits.shape[1])).values
    return (aim - own) / (highest[:, 0] - highest[:, 2:].mean(1) + SMALLEST)


def fooled(logits: Tensor, labels: Tensor, *, targeted: bool) -> Tensor:
    """Which images (batch,) are read as the attack wants."""
    hit = logits.argmax(1) == labels
    return hit if targeted else ~hit


@torch.no_grad()
def likeliest_others(model: nn.Module, images: Tensor, labels: Tensor, count: int) -> Tensor:
    """Classes other than the labels, the likeliest first: (at most count, batch)."""
    wrong = model(images).scatter(1, labels[:, None], -torch.inf)
    # Turned, so that a row is what all images aim at in one turn.
    return wrong.argsort(dim=1, descending=True)[:, : min(count, wrong.shape[1] - 1)].T


@torch.no_grad()
def still_standing(model: nn.Module, images: Tensor, labels: Tensor, *, targeted: bool) -> Tensor:
    """Indices of the images that do not fool the model."""
    return (~fooled(model(images), labels, targeted=targeted)).nonzero()[:, 0]

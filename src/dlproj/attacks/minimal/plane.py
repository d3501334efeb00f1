"""Planes on which a network, taken as linear, decides between two classes, and the way to them."""

import torch
from torch import Tensor, nn

from dlproj.attacks.classifier import Classifier
from dlproj.attacks.common import SMALLEST, gradient_by, per_image


def to_plane(points: Tensor, weights: Tensor, offset: Tensor, norm: str) -> Tensor:
    """The smallest change (n, d) in `norm` that brings points (n, d) in [0, 1] onto a plane.

    The plane is <weights, x> = offset, (n, d) and (n,), and x stays in [0, 1]. Where the box ends
    before the plane, the change goes as far as the box does. It is the projection of FAB (Croce &
    Hein 2020, "Minimally distorted adversarial examples", section 2).

    Each pixel moves in proportion to one multiplier until the box stops it. What all of them reach
    together is concave in that multiplier and piecewise linear. So Newton's steps never go too far,
    each stops a pixel more, and the last one stands on the solution.
    """
    # The same plane with 1 for its largest weight: squares of tiny gradients would vanish.
    scale = weights.abs().amax(1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)
    # What <weights, x> lacks, with its sign: (n,).
    gap = (offset - (weights * points).sum(1)) / scale[:, 0]
    pull = weights.abs() / scale  # (n, d) what <weights, x> gains as a pixel moves by 1
    # Where each pixel goes, and how far until the box stops it.
    towards = weights.sign() * gap.sign()[:, None]
    room = torch.where(towards > 0, 1 - points, points)
    # The shortest way moves pixels by their weights in l2; in linf all that matter as far as the
    # farthest.
    speed = pull if norm == "l2" else (pull > 0).to(pull.dtype)
    gain, full = pull * speed, pull * room
    free = torch.ones_like(pull, dtype=torch.bool)
    multiplier = torch.zeros_like(gap)
    while True:
        # What free pixels gain grows with the multiplier; the others have given all they have.
        slope = torch.where(free, gain, 0).sum(1)
        reached = torch.where(free, 0, full).sum(1)
        longer = (gap.abs() - reached) / slope.clamp(min=SMALLEST)
        multiplier = torch.where(slope > 0, longer, multiplier).maximum(multiplier)
        moved = multiplier[:, None] * speed
        still = moved < room
        if torch.equal(still, free):
            return towards * moved.minimum(room)
        free = still


def nearest_plane(
    model: nn.Module, here: Tensor, labels: Tensor, norm: str
) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest plane on which another class meets the label (Moosavi-Dezfooli et al. 2016).

    Returns:
        The logits (n, classes); the lead (n,) of that class over the label; its gradient (n, ...).
    """
    here = here.detach().requires_grad_()
    logits = model(here)
    own = logits.gather(1, labels[:, None])[:, 0]
    own_slope = _gradient(model, own, here)
    leads = (logits - own[:, None]).detach()  # (n, classes) over the label
    nearest = torch.full_like(leads[:, 0], torch.inf)
    lead, slope = torch.zeros_like(nearest), torch.zeros_like(own_slope)
    # One backward pass for each class: autograd gives the gradient of one number at a time.
    for other in range(logits.shape[1]):
        difference = _gradient(model, logits[:, other], here) - own_slope
        distance = leads[:, other].abs() / dual(difference, norm).clamp(min=SMALLEST)
        nearer = (distance < nearest) & (labels != other)
        nearest = torch.where(nearer, distance, nearest)
        lead = torch.where(nearer, leads[:, other], lead)
        slope = torch.where(per_image(nearer, slope), difference, slope)
    return logits.detach(), lead, slope


def plane_between(
    model: nn.Module, here: Tensor, own: Tensor, aims: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same for one class each, `aims` (n,), against another, `own` (n,)."""
    here = here.detach().requires_grad_()
    logits = model(here)
    # One backward pass: of the difference, not of each of the two.
    both = torch.stack([own, aims], dim=1)
    low, high = logits.gather(1, both).unbind(1)
    return logits.detach(), (high - low).detach(), _gradient(model, high - low, here)


def plane_around(model: nn.Module, here: Tensor, aims: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same for `aims` (n,) against whichever other class is highest."""
    here = here.detach().requires_grad_()
    logits = model(here)
    others = logits.scatter(1, aims[:, None], -torch.inf).amax(1)
    lead = logits.gather(1, aims[:, None])[:, 0] - others
    return logits.detach(), lead.detach(), _gradient(model, lead, here)


def _gradient(model: nn.Module, values: Tensor, here: Tensor) -> Tensor:
    """Of one value for each image (n,), at its true size, whatever precision the model has."""
    gradient = gradient_by(here, values, again=True)
    return gradient / model.grown if isinstance(model, Classifier) else gradient


def dual(gradient: Tensor, norm: str) -> Tensor:
    """What a change of size one in `norm` gains along a gradient at most: (n, ...) to (n,)."""
    flat = gradient.flatten(1)
    return flat.abs().sum(1) if norm == "linf" else flat.norm(dim=1)

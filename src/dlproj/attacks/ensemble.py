"""Several attacks in turn, each on what the ones before it left (after Croce & Hein 2020)."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from dlproj.attacks.apgd import apgd, ascend
from dlproj.attacks.arguments import checked, require_pictures
from dlproj.attacks.common import fooled, targeted_dlr
from dlproj.attacks.square import square

TARGETS = 3  # classes that are aimed at in turn, the most likely wrong ones first

Attack = Callable[[Tensor, Tensor], Tensor]


@checked
def ensemble(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 100,
    restarts: int = 1,
    queries: int = 1000,
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
    tally: Counter[str] | None = None,
) -> Tensor:
    """APGD on the cross-entropy and on DLR, then towards other classes one by one, then Square.

    As AutoAttack, with TARGETS instead of nine classes and without FAB; Square works in "linf"
    alone, and is left out in "l2". `tally` counts which part was the first to fool an image.
    """
    climb = partial(
        apgd,
        model,
        epsilon=epsilon,
        steps=steps,
        restarts=restarts,
        norm=norm,
        targeted=targeted,
        generator=generator,
    )
    parts: dict[str, Attack] = {
        "apgd-ce": partial(climb, loss="ce"),
        "apgd-dlr": partial(climb, loss="dlr"),
    }
    if not targeted:
        parts["apgd-targeted"] = partial(
            _towards_others, model, epsilon=epsilon, steps=steps, norm=norm, generator=generator
        )
    if norm == "linf":
        require_pictures(images, "ensemble in linf takes square, which")
        parts["square"] = partial(
            square, model, epsilon=epsilon, queries=queries, targeted=targeted, generator=generator
        )

    adversarial = images.clone()
    standing = _standing(model, images, labels, targeted=targeted)
    for name, attack in parts.items():
        if not len(standing):
            break
        made = attack(images[standing], labels[standing])
        adversarial[standing] = made
        left = standing[_standing(model, made, labels[standing], targeted=targeted)]
        if tally is not None:
            tally[name] += len(standing) - len(left)
        standing = left
    return adversarial


def _towards_others(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int,
    norm: str,
    generator: torch.Generator | None,
) -> Tensor:
    """APGD on the targeted DLR, towards the likeliest wrong classes in turn."""
    adversarial, standing = images.clone(), torch.arange(len(images), device=images.device)
    with torch.no_grad():
        wrong = model(images).scatter(1, labels[:, None], -torch.inf)
    order = wrong.argsort(dim=1, descending=True)[:, : min(TARGETS, wrong.shape[1] - 1)]
    for targets in order.T:
        own, aims = labels[standing], targets[standing]

        def objective(
            logits: Tensor, which: Tensor, own: Tensor = own, aims: Tensor = aims
        ) -> Tensor:
            return targeted_dlr(logits, own[which], aims[which])

        made = ascend(
            model,
            images[standing],
            own,
            objective,
            epsilon=epsilon,
            steps=steps,
            restarts=1,
            norm=norm,
            targeted=False,
            generator=generator,
        )
        adversarial[standing] = made
        standing = standing[_standing(model, made, own, targeted=False)]
        if not len(standing):
            break
    return adversarial


@torch.no_grad()
def _standing(model: nn.Module, images: Tensor, labels: Tensor, *, targeted: bool) -> Tensor:
    """Indices of the images that do not fool the model."""
    return (~fooled(model(images), labels, targeted=targeted)).nonzero()[:, 0]

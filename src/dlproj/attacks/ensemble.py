"""Several attacks in turn, each on what the ones before it left (after Croce & Hein 2020)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.attacks.apgd import apgd, apgd_targeted
from dlproj.attacks.arguments import checked, require_pictures
from dlproj.attacks.common import still_standing
from dlproj.attacks.minimal.fab import fab_targeted
from dlproj.attacks.square import square

TARGETS = 3  # classes that the ensemble aims at in turn, the most likely wrong ones first

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]


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

    A shorter AutoAttack, with TARGETS instead of nine classes and without FAB; Square is left out
    in "l2". `tally` counts which part was the first to fool an image.
    """
    common: dict[str, Any] = {"epsilon": epsilon, "norm": norm, "generator": generator}
    climb = partial(apgd, steps=steps, restarts=restarts, targeted=targeted, **common)
    parts: dict[str, Attack] = {
        "apgd-ce": partial(climb, loss="ce"),
        "apgd-dlr": partial(climb, loss="dlr"),
    }
    if not targeted:
        parts["apgd-targeted"] = partial(apgd_targeted, steps=steps, targets=TARGETS, **common)
    if norm == "linf":
        # Now, and not after the three parts that come before.
        require_pictures(images, "ensemble in linf takes square, which")
        parts["square"] = partial(square, queries=queries, targeted=targeted, **common)
    return _in_turn(parts, model, images, labels, targeted=targeted, tally=tally)


@checked
def autoattack(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 100,
    restarts: int = 1,
    queries: int = 5000,
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
    tally: Counter[str] | None = None,
) -> Tensor:
    """AutoAttack, its standard version: APGD-CE, APGD-T, FAB-T and Square (Croce & Hein 2020).

    With the authors' settings: 100 steps, nine target classes, 5,000 queries on the schedule for
    10,000. DLR needs a third class, and its targeted form a fourth: with three classes APGD on DLR
    takes the place of APGD-T, and with two it is left out. `tally` counts which part was the first
    to fool an image.
    """
    require_pictures(images, "autoattack takes square, which")
    with torch.no_grad():
        classes = model(images).shape[1]
    options: dict[str, Any] = {
        "epsilon": epsilon,
        "norm": norm,
        "targeted": targeted,
        "generator": generator,
    }
    climbing: dict[str, Any] = {"steps": steps, "restarts": restarts, **options}
    parts: dict[str, Attack] = {"apgd-ce": partial(apgd, loss="ce", **climbing)}
    if classes == 3:
        parts["apgd-dlr"] = partial(apgd, loss="dlr", **climbing)
    elif classes > 3:
        parts["apgd-t"] = partial(apgd_targeted, **climbing)
    parts["fab-t"] = partial(fab_targeted, **climbing)
    parts["square"] = partial(square, queries=queries, rescale=False, **options)
    return _in_turn(parts, model, images, labels, targeted=targeted, tally=tally)


def _in_turn(
    parts: dict[str, Attack],
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    targeted: bool,
    tally: Counter[str] | None,
) -> Tensor:
    """The images after each attack had those that the ones before it left."""
    adversarial = images.clone()
    standing = still_standing(model, images, labels, targeted=targeted)
    for name, attack in parts.items():
        # `standing` are indices of the images that no part has fooled yet.
        if not len(standing):
            break
        made = attack(model, images[standing], labels[standing])
        adversarial[standing] = made
        left = standing[still_standing(model, made, labels[standing], targeted=targeted)]
        if tally is not None:
            tally[name] += len(standing) - len(left)
        standing = left
    return adversarial

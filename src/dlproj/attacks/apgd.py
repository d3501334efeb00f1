"""Auto-PGD: steps whose size adapts to how the attack goes (Croce & Hein 2020, algorithm 1)."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from dlproj.attacks.arguments import checked
from dlproj.attacks.common import (
    cross_entropy,
    direction,
    dlr,
    fooled,
    gradient_by,
    likeliest_others,
    per_image,
    project,
    start_at_random,
    still_standing,
    targeted_dlr,
)

Objective = Callable[[Tensor, Tensor], Tensor]  # logits of some images, and which, to (some,)
LOSSES = {"ce": cross_entropy, "dlr": dlr}
ENOUGH = 0.75  # share of steps that raise the value, below which the step size is halved
MOMENTUM = 0.75  # weight of a step against the one before it


@checked
def apgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 100,
    restarts: int = 1,
    loss: str = "ce",
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Auto-PGD on the cross-entropy ("ce") or the Difference of Logits Ratio ("dlr").

    Each restart goes on with the images that are not misread yet, from a new random start.
    """

    def objective(logits: Tensor, which: Tensor) -> Tensor:
        values = LOSSES[loss](logits, labels[which])
        return -values if targeted else values

    return ascend(
        model,
        images,
        labels,
        objective,
        epsilon=epsilon,
        steps=steps,
        restarts=restarts,
        norm=norm,
        targeted=targeted,
        generator=generator,
    )


@checked
def apgd_targeted(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int = 100,
    restarts: int = 1,
    targets: int = 9,
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """APGD-T: on the targeted DLR, towards the `targets` likeliest wrong classes in turn.

    Whatever wrong class comes out will do (Croce & Hein 2020, section 5). With `targeted`, there is
    the class of the label alone, and only that will do.
    """
    adversarial, standing = images.clone(), torch.arange(len(images), device=images.device)
    others = likeliest_others(model, images, labels, targets)
    for other in others[:1] if targeted else others:
        given = labels[standing]
        own, aims = (other[standing], given) if targeted else (given, other[standing])

        def objective(
            logits: Tensor, which: Tensor, own: Tensor = own, aims: Tensor = aims
        ) -> Tensor:
            return targeted_dlr(logits, own[which], aims[which])

        made = ascend(
            model,
            images[standing],
            given,
            objective,
            epsilon=epsilon,
            steps=steps,
            restarts=restarts,
            norm=norm,
            targeted=targeted,
            generator=generator,
        )
        adversarial[standing] = made
        standing = standing[still_standing(model, made, given, targeted=targeted)]
        if not len(standing):
            break
    return adversarial


def ascend(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    objective: Objective,
    *,
    epsilon: float,
    steps: int,
    restarts: int,
    norm: str,
    targeted: bool,
    generator: torch.Generator | None,
) -> Tensor:
    """Auto-PGD on any objective. An image is left alone once it is misread."""
    adversarial = images.clone()
    standing = torch.arange(len(images), device=images.device)

    def look(here: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """Value (some,) and gradient; images that are misread are kept as they are."""
        here = here.detach().requires_grad_()
        logits = model(here)
        value = objective(logits, which)
        # No image's value depends on another image: the sum's gradient is each one's own.
        gradient = gradient_by(here, value)
        misread = fooled(logits, labels[which], targeted=targeted)
        adversarial[which[misread]] = here.detach()[misread]
        done[which[misread]] = True
        return value.detach(), gradient

    for _ in range(restarts):
        if not len(standing):  # the last step of the run before has fooled the last of them
            break
        done = torch.zeros_like(labels, dtype=torch.bool)
        start = start_at_random(images[standing], epsilon, norm, generator)
        climb = _Climb.begin(standing, images[standing], start, *look(start, standing), epsilon)
        # Within a stretch, step sizes stay as they are; `adapt` looks at them at its end, a
        # checkpoint.
        for length in _stretches(steps):
            for _ in range(length):
                # What is misread by now needs no further step: the batch shrinks.
                climb = climb.keep(~done[climb.which])
                if not len(climb.which):
                    return adversarial
                climb.move(epsilon, norm)
                climb.note(*look(climb.here, climb.which))
            climb.adapt(length)
        climb = climb.keep(~done[climb.which])
        adversarial[climb.which] = climb.best
        standing = climb.which
    return adversarial


@dataclasses.dataclass
class _Climb:
    """Where one run stands; every tensor has a row for each image that is not misread yet."""

    which: Tensor
    images: Tensor
    here: Tensor
    before: Tensor
    value: Tensor
    gradient: Tensor
    best: Tensor
    best_value: Tensor
    best_gradient: Tensor
    size: Tensor  # of a step
    rises: Tensor  # steps since the last checkpoint that raised the value
    halved: Tensor  # whether the size was, at the last checkpoint
    value_then: Tensor  # the best at the last checkpoint

    @classmethod
    def begin(
        cls,
        which: Tensor,
        images: Tensor,
        start: Tensor,
        value: Tensor,
        gradient: Tensor,
        epsilon: float,
    ) -> "_Climb":
        return cls(
            which,
            images,
            start,
            start,
            value,
            gradient,
            start,
            value,
            gradient,
            # At first a step leads from one side of the ball to the other.
            size=torch.full_like(value, 2 * epsilon),
            rises=torch.zeros_like(value),
            # As if just halved: the first checkpoint counts the rises alone.
            halved=torch.ones_like(value, dtype=torch.bool),
            value_then=value,
        )

    def keep(self, mask: Tensor) -> "_Climb":
        if mask.all():
            return self
        fields = (field.name for field in dataclasses.fields(self))
        return _Climb(**{name: getattr(self, name)[mask] for name in fields})

    def move(self, epsilon: float, norm: str) -> None:
        size = per_image(self.size, self.here)
        # z = P(x + size·direction), then P(x + 0.75·(z - x) + 0.25·(x - x before)): a plain step,
        # drawn on by the one before it.
        ahead = self.here + size * direction(self.gradient, norm)
        ahead = project(ahead, self.images, epsilon, norm)
        blend = self.here + MOMENTUM * (ahead - self.here)
        blend = blend + (1 - MOMENTUM) * (self.here - self.before)
        self.here, self.before = project(blend, self.images, epsilon, norm), self.here

    def note(self, value: Tensor, gradient: Tensor) -> None:
        self.rises = self.rises + (value > self.value)
        self.value, self.gradient = value, gradient
        better = value > self.best_value
        self.best = torch.where(per_image(better, self.here), self.here, self.best)
        self.best_gradient = torch.where(per_image(better, gradient), gradient, self.best_gradient)
        self.best_value = torch.where(better, value, self.best_value)

    def adapt(self, length: int) -> None:
        """Halve the steps, and go back to the best point, where the last steps did little."""
        # Condition 2 of the paper: the size was not halved last time, and still nothing better
        # came.
        stuck = ~self.halved & (self.best_value == self.value_then)
        # Condition 1: too few of the steps raised the value.
        self.halved = (self.rises < ENOUGH * length) | stuck
        self.value_then, self.rises = self.best_value, torch.zeros_like(self.rises)
        self.size = torch.where(self.halved, self.size / 2, self.size)
        # The finer search goes on at the best point, without momentum: `before` is that point, too.
        back = per_image(self.halved, self.here)
        self.here = torch.where(back, self.best, self.here)
        self.before = torch.where(back, self.best, self.before)
        self.gradient = torch.where(back, self.best_gradient, self.gradient)
        self.value = torch.where(self.halved, self.best_value, self.value)


def _stretches(steps: int) -> Iterator[int]:
    """Steps between two checkpoints: first 22 % of all, then ever fewer, down to 6 %."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        # Each stretch is 3 % of all steps shorter than the one before it.
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    # Sums of decimal fractions are a little off, and 57.000001 steps are 57.
    places = [min(math.ceil(share * steps - 1e-6), steps) for share in shares]
    return (later - earlier for earlier, later in pairwise(places) if later > earlier)

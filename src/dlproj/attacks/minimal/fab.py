"""FAB: the Fast Adaptive Boundary attack (Croce & Hein 2020, "Minimally distorted ...")."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dlproj.attacks.arguments import checked
from dlproj.attacks.common import direction, drawn, fooled, lengths, likeliest_others, per_image
from dlproj.attacks.minimal.plane import nearest_plane, plane_around, plane_between, to_plane

MOST_BIAS = 0.1  # the largest weight of the image itself in a step: alpha_max of the paper
OVERSHOOT = 1.05  # eta: how far beyond the plane a step goes
BACK = 0.9  # beta: what is left of a change once it fools
REACH = {"linf": 0.3, "l2": 1.0}  # of random starts, where neither epsilon nor a find is nearer

Plane = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]  # of points (n, ...), and which


@checked
def fab(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float = math.inf,
    steps: int = 100,
    restarts: int = 1,
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The images at the smallest change found that has them misread.

    Each step goes to the nearest plane on which, to first order, another class meets the label; it
    is drawn towards the image, and a find is taken back towards the image. Without `epsilon`, any
    change will do. With it, the search for an image ends at the first change within it, and images
    for which there is none come back as they were. The first of the `restarts` starts at the image
    itself, the others near it, at random.
    """

    def plane(here: Tensor, which: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if targeted:
            return plane_around(model, here, labels[which])
        return nearest_plane(model, here, labels[which], norm)

    search = _Search(model, images, labels, epsilon, norm, targeted=targeted)
    search.run(plane, steps, restarts, generator)
    return search.within


@checked
def fab_targeted(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float = math.inf,
    steps: int = 100,
    restarts: int = 1,
    targets: int = 9,
    norm: str = "linf",
    targeted: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """FAB-T: the same towards the `targets` likeliest wrong classes in turn.

    A step needs one gradient instead of one for each class. Whatever wrong class comes out is a
    find. With `targeted` there is the class of the label alone, and it is `fab`.
    """
    if targeted:
        return fab(
            model,
            images,
            labels,
            epsilon=epsilon,
            steps=steps,
            restarts=restarts,
            norm=norm,
            targeted=True,
            generator=generator,
        )
    search = _Search(model, images, labels, epsilon, norm, targeted=False)
    for aims in likeliest_others(model, images, labels, targets):

        def plane(
            here: Tensor, which: Tensor, aims: Tensor = aims
        ) -> tuple[Tensor, Tensor, Tensor]:
            return plane_between(model, here, labels[which], aims[which])

        search.run(plane, steps, restarts, generator)
    return search.within


class _Search:
    """The smallest change found of each image, and the search for a smaller one."""

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilon: float,
        norm: str,
        *,
        targeted: bool,
    ) -> None:
        self.model, self.images, self.labels = model, images, labels
        self.epsilon, self.norm, self.targeted = epsilon, norm, targeted
        self.best = images.clone()
        self.distance = torch.full_like(images.flatten(1)[:, 0], torch.inf)
        self.distance[self._misread(images, torch.arange(len(images), device=images.device))] = 0

    @property
    def within(self) -> Tensor:
        """The images at the changes found, where those are within epsilon."""
        near = self.distance <= self.epsilon
        return torch.where(per_image(near, self.images), self.best, self.images)

    def _misread(self, here: Tensor, which: Tensor) -> Tensor:
        with torch.no_grad():
            return fooled(self.model(here), self.labels[which], targeted=self.targeted)

    def _open(self, which: Tensor) -> Tensor:
        """Of which of these images a smaller change is still wanted."""
        # Without epsilon only an image that was misread from the start (distance 0) is done.
        enough = 0 if math.isinf(self.epsilon) else self.epsilon
        return self.distance[which] > enough

    def run(
        self, plane: Plane, steps: int, restarts: int, generator: torch.Generator | None
    ) -> None:
        """Search from the images themselves, then from near them."""
        everything = torch.arange(len(self.images), device=self.images.device)
        for restart in range(restarts):
            which = everything[self._open(everything)]
            here = self._start(which, generator) if restart else self.images[which]
            for _ in range(steps):
                if not len(which):
                    break
                here = self._step(plane, here, which)
                still = self._open(which)
                here, which = here[still], which[still]

    def _start(self, which: Tensor, generator: torch.Generator | None) -> Tensor:
        """Half as far from the images as the nearest find, epsilon or what is usual."""
        images = self.images[which]
        # The distance is inf where nothing was found yet.
        radius = self.distance[which].clamp(max=min(self.epsilon, REACH[self.norm])) / 2
        draw = torch.rand if self.norm == "linf" else torch.randn
        noise = drawn(draw, images.shape, images, generator)
        noise = 2 * noise - 1 if self.norm == "linf" else direction(noise, "l2")
        return (images + per_image(radius, images) * noise).clamp(0, 1)

    def _step(self, plane: Plane, here: Tensor, which: Tensor) -> Tensor:
        """Onto the plane, with a bias towards the image (algorithm 1, lines 7 to 15)."""
        images = self.images[which]
        _, lead, slope = plane(here, which)
        weights = slope.flatten(1)
        # To first order the lead at x is lead + <slope, x - here>: 0 on the plane <slope, x> =
        # offset.
        offset = (weights * here.flatten(1)).sum(1) - lead
        # The ways from the point and from the image itself, by one projection: (2n, d).
        both = torch.cat([here, images]).flatten(1)
        change = to_plane(both, weights.repeat(2, 1), offset.repeat(2), self.norm)
        from_here, from_image = change.view(2, *here.shape)
        # Clamped, because both are 0 where the image lies on the plane.
        near, far = lengths(change, self.norm).clamp(min=1e-8).view(2, -1)
        # alpha: the farther the point is from the plane, the more the image itself has its say.
        bias = per_image((near / (near + far)).clamp(max=MOST_BIAS), here)
        moved = (1 - bias) * (here + OVERSHOOT * from_here)
        moved = (moved + bias * (images + OVERSHOOT * from_image)).clamp(0, 1)
        misread = self._misread(moved, which)
        distance = lengths(moved - images, self.norm)
        nearer = misread & (distance < self.distance[which])
        self.best[which[nearer]] = moved[nearer]
        self.distance[which[nearer]] = distance[nearer]
        # A find goes back towards the image, to look for a nearer one; the others go on from where
        # they are.
        return torch.where(per_image(misread, here), images + BACK * (moved - images), moved)

"""Images whose gradient is zero: an attack that follows it leaves them where they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from dlproj.attacks.common import fooled

MOST_FLAT = 0.1  # share of images without a gradient that is no reason to doubt

_told = ContextVar("told", default=True)


@contextmanager
def untold() -> Iterator[None]:
    """Attacks made in here give no warning of a zero gradient: their caller looks out for it."""
    token = _told.set(False)
    try:
        yield
    finally:
        _told.reset(token)


class FirstLook:
    """What a model made of images when it was first asked for a gradient, and that gradient.

    Of several gradients of one pass, as of each logit, it keeps the largest entries of all.
    """

    def __init__(self, images: Tensor, logits: Tensor) -> None:
        self.logits = logits.detach()
        self.steepest = torch.full_like(images.detach().flatten(1)[:, 0], -1)  # none as yet
        images.register_hook(self._keep)

    def _keep(self, gradient: Tensor) -> None:
        self.steepest = self.steepest.maximum(gradient.flatten(1).abs().amax(1))

    def flat_share(self, labels: Tensor, *, targeted: bool) -> float:
        """The share without a gradient, of the images (some,) that are not fooled yet."""
        flat = self.steepest == 0
        # An attack that looks at some of the images alone has left out those that are.
        if len(flat) == len(labels):
            flat = flat[~fooled(self.logits, labels, targeted=targeted)]
        return flat.double().mean().item() if len(flat) else 0.0


def warning_of(look: FirstLook | None, labels: Tensor, *, targeted: bool) -> str | None:
    """What to say of an attack that took this first look, if anything."""
    if look is None or not _told.get():
        return None
    share = look.flat_share(labels, targeted=targeted)
    if share <= MOST_FLAT:
        return None
    return (
        f"the gradient of {share:.0%} of the images is zero, and attacks that follow it stay where "
        "they are: try ensemble, or its parts apgd with loss='dlr' and square"
    )

"""The course of the learning rate over a run, by name."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
)


def make_schedule(name: str, optimizer: Optimizer, steps: int) -> LRScheduler:
    """A schedule over `steps` optimiser steps; the optimiser's own rate is its highest.

    Args:
        name: "constant"; "linear" (straight to zero); "cosine" (to zero along half a cosine,
            Loshchilov & Hutter 2017); "one-cycle" (up from 1/25 for 30 % of the run, then down
            to nearly zero, Smith & Topin 2018).
        optimizer: the optimiser whose rate is set.
        steps: steps of the whole run.
    """
    match name:
        case "constant":
            return ConstantLR(optimizer, factor=1)  # for the same interface as the others
        case "linear":
            # The rate of step k, from 0 on, is lr·(1 - k/steps): the last step still moves.
            return LinearLR(optimizer, start_factor=1, end_factor=0, total_iters=steps)
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=steps)
        case "one-cycle":
            # One step more than is taken: torch's last step would otherwise be past the end.
            highest = optimizer.param_groups[0]["lr"]
            return OneCycleLR(optimizer, highest, steps + 1, cycle_momentum=False)
    raise ValueError(f"unknown schedule {name!r}")

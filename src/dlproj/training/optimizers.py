"""torch's optimisers, by name, without its compiler, which they import when they are made."""

import inspect
from typing import TypeVar

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

Kind = TypeVar("Kind", bound=Optimizer)

WRAPPED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def make_optimizer(
    name: str,
    model: nn.Module,
    *,
    lr: float,
    momentum: float,
    weight_decay: float,
    beta2: float = 0.999,
    fused: bool | None = None,
) -> Optimizer:
    """An optimiser of all weights of a model.

    Args:
        name: "sgd" (with momentum), "adam" (Kingma & Ba 2015) or "adamw" (with decoupled weight
            decay, Loshchilov & Hutter 2019).
        model: its weights are learnt.
        lr: the highest learning rate of the schedule.
        momentum: of SGD; of the others the decay of mean gradients, beta1.
        weight_decay: how fast weights shrink.
        beta2: of Adam, the decay of squared gradients.
        fused: of Adam, whether all weights are updated by one kernel; None lets torch decide.
    """
    weights = model.parameters()
    if name == "sgd":
        return without_compiler(SGD)(weights, lr=lr, momentum=momentum, weight_decay=weight_decay)
    kinds: dict[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}
    # beta1 is to Adam what momentum is to SGD: one flag sets both.
    adam, betas = without_compiler(kinds[name]), (momentum, beta2)
    return adam(weights, lr=lr, betas=betas, weight_decay=weight_decay, fused=fused)


def without_compiler(kind: type[Kind]) -> type[Kind]:
    """The same optimiser, not for `torch.compile`: a process starts 1.2 s sooner.

    torch wraps these methods to hide them from its compiler, and so imports it; here they are as
    they were before.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    # Unwrapped, it would be recorded by autograd, which lets no one change weights in place.
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "step": step})

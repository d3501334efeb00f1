"""A network made ready for many attacks."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.fx import symbolic_trace

from dlproj.attacks.arguments import check_model
from dlproj.attacks.kernels import FixedNorm, max_pool_2x2

UNPADDED = {  # as torch.fx writes down `F.max_pool2d(x, 2)`
    "stride": None,
    "padding": 0,
    "dilation": 1,
    "ceil_mode": False,
    "return_indices": False,
}


def prepare(model: nn.Module) -> nn.Module:
    """The same function, faster: a copy in evaluation mode, to be attacked in the model's place.

    Pooling and BatchNorm take less time on a CPU, and no weight wants a gradient. Logits, and
    gradients of the images, are the model's to the last bit. A model that torch.fx cannot follow,
    as where it has hooks or looks at its input in Python, is copied as it is.

    Raises:
        UsageError: it is no `torch.nn.Module`.
    """
    check_model(model)
    with torch.inference_mode(False):
        own = copy.deepcopy(model)
    own.requires_grad_(False)
    for module in own.modules():
        module.training = False
    # A trace would lose the hooks.
    if any(module._forward_hooks or module._forward_pre_hooks for module in own.modules()):
        return own
    try:
        traced = symbolic_trace(own)
    except Exception:  # whatever a model's own code meets where it expects a tensor
        return own
    for name, module in list(traced.named_modules()):
        if isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
            traced.set_submodule(name, FixedNorm(module))
    for node in traced.graph.nodes:
        # Any other pooling stays torch's own.
        if node.target is F.max_pool2d and (node.args[1:], node.kwargs) == ((2,), UNPADDED):
            node.target, node.args, node.kwargs = max_pool_2x2, node.args[:1], {}
    traced.recompile()
    return traced.requires_grad_(False)

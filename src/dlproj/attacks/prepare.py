"""A network made ready for many attacks."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.fx import GraphModule, symbolic_trace
from torch.nn.utils import fuse_conv_bn_eval

from dlproj.attacks.kernels import FixedNorm, halve

UNPADDED = {  # as torch.fx writes down `F.max_pool2d(x, 2)`
    "stride": None, "padding": 0, "dilation": 1, "ceil_mode": False, "return_indices": False
}  # fmt: skip


def prepare(model: nn.Module, *, exact: bool = False) -> nn.Module:
    """The same function, faster: a copy in evaluation mode, to be attacked in the model's place.

    Each BatchNorm is folded into the convolution before it, memory is laid out channels-last, and
    no weight wants a gradient. Logits are the model's but for rounding. With `exact` they are the
    model's to the last bit, and so are the gradients: only pooling and BatchNorm are faster.
    """
    traced = symbolic_trace(copy.deepcopy(model).eval())
    change = _use_exact_kernels if exact else _fold
    change(traced)
    traced.recompile()
    prepared: nn.Module = traced.requires_grad_(False)
    return prepared


def _fold(traced: GraphModule) -> None:
    modules = dict(traced.named_modules())
    for node in traced.graph.nodes:
        if node.op != "call_module" or not isinstance(modules[node.target], nn.BatchNorm2d):
            continue
        before: Any = node.args[0]
        if isinstance(modules.get(before.target), nn.Conv2d) and len(before.users) == 1:
            fused = fuse_conv_bn_eval(modules[before.target], modules[node.target])
            traced.set_submodule(before.target, fused)
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _use_exact_kernels(traced: GraphModule) -> None:
    for name, module in list(traced.named_modules()):
        if isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
            traced.set_submodule(name, FixedNorm(module))
    for node in traced.graph.nodes:
        if node.target is F.max_pool2d and (node.args[1:], node.kwargs) == ((2,), UNPADDED):
            node.target, node.args, node.kwargs = halve, node.args[:1], {}

"""torchvision, also beside a CPU-only torch.

torchvision's wheel is built for CUDA. Beside a CPU-only torch its compiled operators cannot
load, and importing it fails while it describes them; its data sets need none of them. So when
the plain import fails, the missing operators are declared, without code, and it is tried again.
"""

import sys
from typing import Any

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []  # a declaration lives as long as its Library


def torchvision_datasets() -> Any:
    """The module `torchvision.datasets`."""
    try:
        import torchvision.datasets as datasets  # noqa: PLC0415, PLR0402 - takes seconds
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(operator + _SCHEMA)
        _declared.append(library)
        import torchvision.datasets as datasets  # noqa: PLC0415, PLR0402
    return datasets

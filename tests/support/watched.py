"""A network that keeps what it is shown."""

import torch
from torch import Tensor, nn


class Watched(nn.Module):
    """Keeps what it is shown; its logits are those of `network`, or 2 for class 0 of two."""

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        self.network, self.shown = network, list[Tensor]()

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(images.clone())
        if self.network is None:
            return torch.tensor([2.0, 0.0]).expand(len(images), 2)
        logits: Tensor = self.network(images)
        return logits

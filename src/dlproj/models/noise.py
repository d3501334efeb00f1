"""Noise whose own mean and scale wander: the opposite of what BatchNorm is for."""

import torch
from torch import Tensor, nn

MEAN, SCALE = 0.5, 1.25  # farthest mean and largest scale of a channel (Santurkar et al. 2018, A.3)
SPREAD = 0.1  # of single images around those


class DriftingNoise(nn.Module):
    """Scale and shift each channel anew at every step, in training only (Santurkar et al. 2018)."""

    def forward(self, x: Tensor) -> Tensor:
        """Activations (batch, channels, height, width) to the same shape."""
        if not self.training:
            return x
        channels = (1, x.shape[1], 1, 1)
        images = (len(x), x.shape[1], 1, 1)
        # First what all images of the step share, then a little for each image.
        mean = MEAN * (2 * torch.rand(channels, device=x.device) - 1)
        scale = 1 + (SCALE - 1) * torch.rand(channels, device=x.device)
        mean = mean + SPREAD * (2 * torch.rand(images, device=x.device) - 1)
        scale = scale + SPREAD * torch.randn(images, device=x.device)
        return scale * x + mean

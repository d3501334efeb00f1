"""A network as an attack sees it: images in, logits out, and both looked at."""

import torch
from torch import Tensor, nn

from dlproj.attacks.flatness import FirstLook
from dlproj.errors import DlprojError, UsageError

HALVES = (torch.float16, torch.bfloat16)
GROWN = 128  # times its size is a gradient in half precision, which else would vanish


class Classifier(nn.Module):
    """A model, with the images and labels that it is attacked on.

    The attack itself computes in single precision or more; images in half precision reach the
    model as they came.

    Args:
        model: takes images (batch, ...) to logits (batch, classes).
        images: (batch, ...) in [0, 1].
        labels: (batch,) from 0 on.

    Attributes:
        images: in single precision or more, and detached.
        labels: as they came.
        grown: how many times too large its gradients are.
        gives_probabilities: whether the outputs sum to one; known after the first look.
        first_look: the first gradient that was asked for.
        faulty: whether a gradient was no number so far; a tensor, which no one waits for.
    """

    def __init__(self, model: nn.Module, images: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.model = model
        self.dtype = images.dtype
        wide = torch.promote_types(images.dtype, torch.float32)
        # A tensor of inference mode never has a gradient; a copy made outside of it has.
        self.images = images.detach().to(wide, copy=images.is_inference())
        self.labels = labels
        self.grown = GROWN if self.dtype in HALVES else 1
        self.looked = False
        self.gives_probabilities = False
        self.first_look: FirstLook | None = None
        self.faulty = torch.zeros((), dtype=torch.bool, device=images.device)

    def forward(self, images: Tensor) -> Tensor:
        """Images (some, ...) to logits (some, classes).

        Raises:
            UsageError: the model does not take such images, or does not give such logits.
        """
        # Checks read numbers back, which holds a GPU up; what the first look shows holds for all.
        if self.looked:
            logits: Tensor = self.model(images.to(self.dtype))
        else:
            logits = self._first_look(images.to(self.dtype))
        if torch.is_grad_enabled() and images.requires_grad:
            images.register_hook(self._look_for_faults)
            self.first_look = self.first_look or FirstLook(images, logits)
        return self._widened(logits) if self.dtype in HALVES else logits

    def _look_for_faults(self, gradient: Tensor) -> None:
        """Note a gradient that is no number: its sign is 0, and the attack would stand still."""
        self.faulty |= gradient.isnan().any()

    def _widened(self, logits: Tensor) -> Tensor:
        """Logits in single precision, whose gradient does not vanish on its way back."""
        logits = logits.float()
        if logits.requires_grad:
            # The factor goes down with the gradient through all layers. Steps along a sign or a
            # direction do not feel it; `minimal/plane.py` divides by it.
            logits.register_hook(lambda gradient: gradient * GROWN)
        return logits

    def _first_look(self, images: Tensor) -> Tensor:
        """The logits, checked."""
        try:
            logits = self.model(images)
        except (DlprojError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            raise UsageError(self._refusal(images, error)) from error
        self._check(logits, images)
        rows = logits.detach().float()
        sums = rows.sum(1)
        self.gives_probabilities = bool((rows.amin() >= 0) & ((sums - 1).abs().amax() < 1e-3))
        self.looked = True
        return logits

    def _refusal(self, images: Tensor, error: Exception) -> str:
        """What is wrong with the images, as far as the weights tell; else the model's own words."""
        what = f"the model does not take images {tuple(images.shape)} of {images.dtype}"
        weights = [each for each in self.model.parameters() if each.is_floating_point()]
        if weights and weights[0].device != images.device:
            return f"{what} on {images.device}: its weights are on {weights[0].device}"
        if weights and weights[0].dtype != images.dtype:
            return f"{what}: its weights are {weights[0].dtype}, images.to({weights[0].dtype})"
        said = (str(error) or type(error).__name__).strip().splitlines()[0]
        return f"{what}: {said}"

    def _check(self, logits: object, images: Tensor) -> None:
        if not isinstance(logits, Tensor) or not logits.is_floating_point():
            kind = str(logits.dtype) if isinstance(logits, Tensor) else type(logits).__name__
            raise UsageError(
                f"the model must return a tensor of logits (batch, classes), not {kind}"
            )
        shape = tuple(logits.shape)
        if logits.ndim in {1, 2} and shape[1:] in {(), (1,)} and shape[0] == len(images):
            raise UsageError(
                "the model has a single output, and an attack needs a logit for each of two "
                "classes or more: return torch.stack([-z, z], 1) of its output z"
            )
        if logits.ndim != 2 or shape[0] != len(images) or not shape[1]:
            raise UsageError(f"the model must return logits ({len(images)}, classes), not {shape}")
        if logits.isnan().any():
            raise UsageError("the model's logits are not numbers: look at its weights")
        if int(self.labels.max()) >= shape[1]:
            raise UsageError(
                f"labels must be below {shape[1]}, the classes that the model knows, not "
                f"{int(self.labels.max())}"
            )

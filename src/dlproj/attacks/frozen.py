"""A network held still while it is attacked, and afterwards as it was."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from torch import nn


class _Hold:
    """What a model was like before the first of those who hold it still."""

    def __init__(self, model: nn.Module) -> None:
        self.users = 0
        self.modes = [(module, module.training) for module in model.modules()]
        self.wanted = [weights for weights in model.parameters() if weights.requires_grad]

    def freeze(self) -> None:
        """Evaluation mode and no gradients of weights.

        The flags are set one by one: `model.eval()` may do more, as where LoRA merges its weights.
        """
        for module, _ in self.modes:
            module.training = False
        for weights in self.wanted:
            weights.requires_grad_(False)

    def restore(self) -> None:
        """Every submodule and weight as it was."""
        for module, training in self.modes:
            module.training = training
        for weights in self.wanted:
            weights.requires_grad_()


_holds: "WeakKeyDictionary[nn.Module, _Hold]" = WeakKeyDictionary()
_changing = threading.Lock()


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, computing no gradients for its weights; then as before.

    Every submodule gets its own mode back. Of several threads, or attacks within each other, the
    last to leave restores what the first found.
    """
    with _changing:
        # Only the first finds the model as it was; those who come later find it frozen.
        hold = _holds.get(model) or _Hold(model)
        _holds[model] = hold
        hold.users += 1
        hold.freeze()
    try:
        yield
    finally:
        with _changing:
            hold.users -= 1
            # Others may still be attacking it in another thread.
            if not hold.users:
                hold.restore()
                del _holds[model]

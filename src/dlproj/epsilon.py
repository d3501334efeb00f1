"""The size of a perturbation: which ones make sense."""

from dlproj.errors import UsageError


def check_epsilon(name: str, epsilon: float, norm: str) -> None:
    """Whether pixels in [0, 1] can be changed by that much.

    Raises:
        UsageError: `name` is below 0 or not finite, or above 1 in linf.
    """
    if not 0 <= epsilon < float("inf"):
        raise UsageError(f"{name} must be a finite number from 0 on, not {epsilon:g}")
    if norm == "linf" and epsilon > 1:
        raise UsageError(
            f"{name} must be at most 1 in linf, because pixels are in [0, 1], not {epsilon:g}: "
            f"{epsilon:g}/255 is {epsilon / 255:.3g}"
        )

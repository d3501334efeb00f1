"""Numbers for people: plain, or summarised over seeds by `dlproj.statistics.describe`."""

from dlproj.results import Scalar


def percent(value: Scalar, digits: int = 2) -> str:
    """A fraction, or one summarised over seeds, for people."""
    if isinstance(value, dict):
        low, high = value["ci95"]
        return (
            f"{value['mean']:.{digits}%} ± {value['std']:.{digits}%} "
            f"(95 % {low:.{digits}%} to {high:.{digits}%})"
        )
    return f"{value:.{digits}%}"


def number(value: Scalar, form: str = ".4g") -> str:
    """A number, or one summarised over seeds, for people."""
    if isinstance(value, dict):
        spread = f" ± {value['std']:{form}}" if value["std"] else ""
        return f"{value['mean']:{form}}{spread}"
    return f"{value:{form}}"

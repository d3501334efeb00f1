"""The values that a setting may take, in words, as its annotation states them.

For the help of the command line and for the documentation, so that a range is written once.
"""

from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt


def values_in_words(annotation: Any) -> str:
    """Which values an annotation allows, such as `Annotated[int, Ge(1), Le(8)]`: "1 to 8".

    Empty where it says nothing beyond the type, as for text, paths and switches.
    """
    kinds, bounds = _parts(annotation)
    choices = [str(choice) for kind in kinds if get_origin(kind) is Literal
               for choice in get_args(kind)]  # fmt: skip
    if choices:
        return in_words(choices, "or")
    low = next((bound for bound in bounds if isinstance(bound, Ge | Gt)), None)
    high = next((bound for bound in bounds if isinstance(bound, Le | Lt)), None)
    return _interval(low, high, whole=int in kinds)


def in_words(items: list[str], last: str) -> str:
    """Items as a sentence names them: "a, b or c"."""
    return f" {last} ".join([", ".join(items[:-1]), items[-1]] if items[1:] else items)


def _parts(annotation: Any) -> tuple[set[Any], list[Any]]:
    """The types in an annotation, however deep, and the notes that they bear."""
    kinds, notes = {annotation}, list(getattr(annotation, "__metadata__", ()))
    inner = () if get_origin(annotation) is Literal else get_args(annotation)
    for part in inner:
        more_kinds, more_notes = _parts(part)
        kinds |= more_kinds
        notes += more_notes
    return kinds, notes


def _interval(low: Ge | Gt | None, high: Le | Lt | None, *, whole: bool) -> str:
    """Both bounds in words; of whole numbers, the least and the greatest that are allowed."""
    match low, high:
        case None, None:
            return ""
        case Ge(), None:
            return f"{_number(low.ge)} or more"
        case Ge(), Le():
            return f"{_number(low.ge)} to {_number(high.le)}"
        case Ge(), Lt() if whole:
            return f"{_number(low.ge)} to {_number(high.lt - 1)}"  # type: ignore[operator]
        case Ge(), Lt():
            return f"{_number(low.ge)} or more, below {_number(high.lt)}"
        case Gt(), Le():
            return f"above {_number(low.gt)}, at most {_number(high.le)}"
    raise TypeError(f"no words for {low} and {high}")


def _number(value: Any) -> str:
    return f"{value:,}"

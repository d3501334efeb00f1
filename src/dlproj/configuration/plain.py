"""Values of settings as people write them, in Python or as text, made what the checks expect."""

import re
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from dlproj.configuration.messages import refusal
from dlproj.errors import UsageError
from dlproj.settings import Fraction

NUMBER = r"\s*[0-9.]+(?:[eE][+-]?[0-9]+)?\s*"


def plain(name: str, value: Any, hint: Any) -> Any:
    """One value, or several, as Python's own numbers.

    Numbers of numpy and torch become Python's; a single number may stand for several; a fraction,
    8/255, becomes a number where the setting takes it.

    Args:
        name: of the setting.
        value: as it was given.
        hint: the setting's annotated type; None where there is no such setting.

    Raises:
        UsageError: it is True or False where a number is wanted.
    """
    if hasattr(value, "tolist"):  # an array, a tensor, or one number of these
        value = value.tolist()
    bare = _bare(hint)
    if get_args(bare)[-1:] == (Ellipsis,) and isinstance(value, int | float | str):
        value = (value,)
    several = isinstance(value, list | tuple)
    values = [*value] if several else [value]
    if _numeric(bare) and any(isinstance(each, bool) for each in values):
        raise UsageError(refusal(f"--{name.replace('_', '-')}", hint, value))
    if any(isinstance(note, Fraction) for note in get_args(hint)):
        values = [_quotient(each) for each in values]
    return tuple(values) if several else values[0]


def _quotient(value: Any) -> Any:
    """A number, or a fraction, in text as a number; what is neither is left as it is."""
    if not isinstance(value, str) or not re.fullmatch(f"-?{NUMBER}(?:/{NUMBER})?", value):
        return value
    above, _, below = value.partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return value


def _numeric(bare: Any) -> bool:
    kinds = get_args(bare) or (bare,)
    return any(_bare(kind) in {int, float} for kind in kinds) and bool not in kinds


def _bare(hint: Any) -> Any:
    """A type without its annotations, and without None."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in {Union, UnionType}:
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return _bare(kinds[0]) if len(kinds) == 1 else hint
    return hint

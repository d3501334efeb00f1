"""What is wrong with a value, in one line: whose it is, what would be right, what was given.

What is right is read from the annotations that the values are checked by.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

LONGEST = 60  # letters of a value that are shown


def refusal(name: str, hint: Any, value: Any) -> str:
    """Why a value is not taken.

    Args:
        name: of what it was given for, as `--lr`.
        hint: the annotation of that.
        value: what was given, as text or read already.
    """
    return f"{name} must be {expected(hint)}, not {shown(value)}{_way_out(hint, value)}"


def expected(hint: Any) -> str:
    """What an annotation asks for: "a number above 0 and at most 1000"."""
    kind, notes = _parts(hint)
    if get_origin(kind) is Literal:
        return alternatives([str(choice) for choice in get_args(kind)])
    if get_origin(kind) is tuple:
        return f"a list; each: {expected(get_args(kind)[0])}"
    if kind is int:
        return f"a whole number{_range(notes)}"
    if kind is float:
        return f"a number{_range(notes)}"
    names = {bool: "yes or no", Path: "a path", str: "text"}
    return names.get(kind, "a JSON object")


def _way_out(hint: Any, value: Any) -> str:
    """How a number is typed that was written as people do: `0,02` or `2 %`; not `1,000`."""
    kind, _ = _parts(item(hint))
    pattern = r"(?P<number>\d+(?:[.,]\d+)?) ?(?P<share>%?)"
    found = re.fullmatch(pattern, value) if isinstance(value, str) and kind is float else None
    if not found or not (found["share"] or "," in value) or re.search(r"[1-9]\d*,\d{3}$", value):
        return ""
    number = float(found["number"].replace(",", ".")) / (100 if found["share"] else 1)
    return f": write {number:.10g}"


def limits(hint: Any) -> str:
    """Which values are taken, for a help text; nothing where the type alone says it."""
    kind, _ = _parts(item(hint))
    said = kind in {int, float} or get_origin(kind) is Literal
    return expected(item(hint)) if said else ""


def item(hint: Any) -> Any:
    """The annotation of one value, of what may be given several times."""
    kind, _ = _parts(hint)
    return get_args(kind)[0] if get_origin(kind) in {tuple, list} else hint


def _parts(hint: Any) -> tuple[Any, list[Any]]:
    """The type itself, without None, and what is noted about it."""
    notes: list[Any] = []
    while get_origin(hint) in {Annotated, Union, UnionType}:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            notes += more
        else:
            hint = next(kind for kind in get_args(hint) if kind is not type(None))
    return hint, notes


def _range(notes: Sequence[Any]) -> str:
    """The limits among the notes: " above 0 and at most 1000"."""
    low: tuple[str, Any] | None = None
    high: tuple[str, Any] | None = None
    for note in notes:
        match note:
            case Ge(ge=limit):
                low = ("of at least", limit)
            case Gt(gt=limit):
                low = ("above", limit)
            case Le(le=limit):
                high = ("at most", limit)
            case Lt(lt=limit):
                high = ("below", limit)
    if low and high and (low[0], high[0]) == ("of at least", "at most"):
        return f" from {low[1]} to {high[1]}"
    words = [f"{word} {limit}" for word, limit in filter(None, (low, high))]
    return " " + " and ".join(words) if words else ""


def alternatives(names: Sequence[str]) -> str:
    """Names, one of which is meant: "a, b or c"."""
    return " or ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])


def shown(value: Any) -> str:
    """A value as it was typed: numbers as they are, text in quotes, control characters visible."""
    text = str(value)
    try:
        float(text)
    except ValueError:
        text = repr(value)
    text = text.removesuffix(".0")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

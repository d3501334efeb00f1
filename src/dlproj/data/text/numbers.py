"""Numbers as people write them: with a decimal point, or with a decimal comma."""

import re
from collections.abc import Sequence

# ASCII digits alone; Python's own `float` also takes 1_000, nan, and digits of any script.
POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)  # 1,234: either a comma or thousands
POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)  # 1.234: thousands with points
THOUSANDS = re.compile(r"[+-]?\d{1,3}([., '\u00a0\u202f\u2019]\d{3})+([.,]\d*)?", re.ASCII)
MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "-", "inf", "-inf", "+inf", "infinity"}
)


def is_number(text: str) -> bool:
    """Whether it may be a number, with a point or with a comma."""
    text = _plain(text)
    return bool(POINT.fullmatch(text) or COMMA.fullmatch(text))


def is_name(text: str) -> bool:
    """Whether it can head a column: it begins with a letter, and stands for no missing number."""
    text = text.strip()
    return text[:1].isalpha() and text.lower() not in MISSING


def to_number(text: str, *, comma: bool) -> float:
    """The number that a text is.

    Args:
        text: without white space around it.
        comma: whether a comma stands before the decimals.

    Raises:
        ValueError: it is none; the message says what it is instead.
    """
    plain = _plain(text)
    if (COMMA if comma else POINT).fullmatch(plain):
        return float(plain.replace(",", "."))
    if not text:
        raise ValueError("is empty; take the row away, or fill it in")
    if comma and POINT.fullmatch(plain):
        raise ValueError(f"is {text}, with a decimal point where other numbers have commas")
    if text.lower() in MISSING:
        raise ValueError(f"is {text}; take the row away, or put a number there")
    if THOUSANDS.fullmatch(plain):
        raise ValueError(f"is {text!r}; write thousands without separators")
    raise ValueError(f"is {text!r}, which is no number")


def commas_meant(cells: Sequence[str]) -> bool | None:
    """Whether commas in numbers stand before decimals; None where they may divide thousands."""
    with_comma = [_plain(cell) for cell in cells if "," in cell]
    if not with_comma:
        return False
    if any("." in cell for cell in cells) and not all(map(COMMA.fullmatch, with_comma)):
        return False  # 1,234.5: refused as thousands, cell by cell
    return None if all(map(GROUPED.fullmatch, with_comma)) else True


def doubtful_thousands(column: Sequence[str]) -> str | None:
    """The first number in a column whose point may divide thousands, as in 999 and 1.000.

    In all numbers with a point three digits follow it, and others have no point: decimals are
    seldom written so.
    """
    cells = [_plain(cell) for cell in column]
    pointed = [cell for cell in cells if "." in cell]
    whole = [cell for cell in cells if cell.lstrip("+-").isdecimal() and len(cell.lstrip("+-")) < 4]
    if not whole or len(whole) + len(pointed) < len(cells):
        return None
    return pointed[0] if pointed and all(map(POINTED.fullmatch, pointed)) else None


def _plain(text: str) -> str:
    """With a plain minus sign."""
    return text.strip().replace("\u2212", "-")

"""Fonts for names in any script: matplotlib's own first, then what the system has."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from matplotlib.font_manager import findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font

from dlproj.output.figures.style import RC, label_of

OWN = "DejaVu Sans"


def find_fonts(names: Iterable[str]) -> str:
    """Have the figures that are drawn from now on show these names.

    Returns:
        What the user should know: that no font has some of the letters, and which; or "".
    """
    letters = {letter for name in names for letter in label_of(name) if not letter.isspace()}
    missing = frozenset(map(ord, letters)) - _letters(fontManager.findfont(OWN))
    chosen, lacking = _search(frozenset(missing))
    RC["font.family"] = [OWN, *chosen]
    if not lacking:
        return ""
    shown = "".join(map(chr, sorted(lacking)[:12]))
    return (
        f"no font on this machine has the letters {shown}: figures show boxes in their place; "
        "install one that has them, as Noto's are"
    )


@lru_cache
def _search(missing: frozenset[int]) -> tuple[tuple[str, ...], frozenset[int]]:
    """Families of the system that together have most of the letters, and what they lack."""
    chosen: list[str] = []
    covered = [(path, found) for path in _paths(missing) if (found := _letters(path) & missing)]
    while missing and covered:
        path, found = max(covered, key=lambda pair: len(pair[1] & missing))
        if not found & missing:
            break
        fontManager.addfont(path)
        chosen.append(FT2Font(path).family_name)
        missing -= found
    return tuple(chosen), missing


def _paths(missing: frozenset[int]) -> Iterator[str]:
    return iter(sorted(findSystemFonts())) if missing else iter(())


@lru_cache
def _letters(path: str) -> frozenset[int]:
    """The code points that a font has; none, if it is damaged or a picture font."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(font.get_charmap()) if font.scalable else frozenset()

"""The Chinese README says what the English one says; Chinese names show in figures."""

import re
import warnings
from collections import Counter
from pathlib import Path

import pytest

from dlproj.output.figures import confusion, fonts
from dlproj.store.runs import RunDir

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
FONTS = "install Debian's fonts-noto-cjk or fonts-wqy-zenhei"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(text: str) -> list[str]:
    """The lines of code, without their comments and without the map of the folders."""
    found = re.findall(r"^```(?:sh|python)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"\s+# .*", "", line) for block in found for line in block.splitlines()]


def spans(text: str) -> Counter[str]:
    """The code within sentences and tables."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return Counter(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", outside))


def numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"-?\d+(?:[.,]\d+)*", text))


def targets(text: str) -> list[str]:
    """Where links and pictures lead to, but for those between the two pages."""
    found = re.findall(r'\]\(([^)]+)\)|src="([^"]+)"', text)
    return [target for pair in found for target in pair if target and "README" not in target]


def test_both_readmes_hold_the_same_commands_numbers_and_links() -> None:
    english, chinese = read(ENGLISH), read(CHINESE)
    assert code(chinese) == code(english)
    assert spans(chinese) == spans(english)
    assert numbers(chinese) == numbers(english)
    assert targets(chinese) == targets(english)


def test_each_readme_leads_to_the_other_in_its_first_lines() -> None:
    assert f"]({CHINESE})" in "".join(read(ENGLISH).splitlines()[:4])
    assert f"]({ENGLISH})" in "".join(read(CHINESE).splitlines()[:4])


def draw(names: list[str], folder: Path) -> bytes:
    """A confusion matrix of these classes, drawn with warnings as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        confusion.draw_confusion(RunDir(folder), [[9, 1], [2, 8]], names)
    return (folder / "confusion_matrix.png").read_bytes()


def test_chinese_names_show_in_figures_where_a_font_has_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lacking = fonts.find_fonts(["零一二三四五六七八九中文"])
    if lacking:
        pytest.skip(f"{lacking}; {FONTS}")
    shown = [draw(names, tmp_path) for names in (["零", "一"], ["中", "文"])]
    assert shown[0] != shown[1]  # boxes would be the same
    assert caplog.records == []  # of weights that the font has not


def test_without_a_font_there_are_boxes_and_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "findSystemFonts", list)
    fonts._search.cache_clear()
    try:
        assert "no font on this machine has the letters 一零" in fonts.find_fonts(["零", "一"])
        assert draw(["零", "一"], tmp_path) == draw(["中", "文"], tmp_path)
    finally:
        fonts._search.cache_clear()

"""Text from files is shown as it is, wherever it is shown, and steers nothing."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from dlproj.output.console import Console
from dlproj.output.figures import fonts, style
from dlproj.output.tables.base import Table
from dlproj.visible import visible
from tests.conftest import Dlproj, environment

NAMES = [
    "[red]es[/red]",
    "日本語",
    "العربية",
    "हिन्दी",
    "$x^2$",
    "$\\oops$",
    "a\x1b[31mb",
    "<b>x</b>",
    "_x",
    ":cat:",
    "long " * 20,
]


def write_words(path: Path, names: list[str]) -> None:
    rows = [f"{chr(97 + n % 26)}{chr(97 + n // 26)}x,{name}" for n in range(60) for name in names]
    path.write_text("\n".join(rows), encoding="utf-8")


def test_control_characters_are_made_visible() -> None:
    assert visible("a\tb\nc\x1b[0m\x85\u202ed\udcff") == r"a\tb\nc\x1b[0m\x85\u202ed\udcff"
    assert visible("[red]żółw 日本 :cat: \\n") == "[red]żółw 日本 :cat: \\n"


def test_tables_and_notes_take_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for name in NAMES[:8]:
        console.note(f"x {name}")
        console.result({}, [Table(f"of {name}", (name, "n"), [[name, "1"]])])
        out, err = capsys.readouterr()
        assert err == f"x {visible(name)}\n"
        assert out.count(visible(name)) == 3
        assert "\x1b" not in out


def test_a_run_with_any_names(tmp_path: Path, dlproj: Dlproj) -> None:
    write_words(tmp_path / "own.csv", NAMES)
    done = dlproj("train-langid", "--data", "own.csv", "--epochs", 1, "--out", "run")
    assert done.code == 0, done.err
    assert "Glyph" not in done.err
    for name in NAMES[:8]:
        assert visible(name) in done.out
        assert visible(name) in done.err
    assert "\x1b" not in done.out + done.err
    done = dlproj("report", "run", "--out", "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page


def test_a_prediction_is_one_line(dlproj: Dlproj) -> None:
    done = dlproj("predict-langid", "hel\tlo", "new\nline")
    lines = done.out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [r"hel\tlo", r"new\nline"]
    assert all(len(line.split("\t")) == 4 for line in lines)  # two words each: a phrase


def test_labels_in_figures_are_short_and_no_formulas() -> None:
    assert style.label_of("$x$") == r"\$x\$"
    assert len(style.label_of("long " * 20)) == style.LONGEST


def a_font(path: Path, letter: str) -> None:
    """A font whose only letter is a box."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for place in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(place)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({ord(letter): "box"})
    builder.setupGlyf({".notdef": pen.glyph(), "box": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (800, 0), "box": (800, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Only One Letter", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def test_fonts_of_the_system_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "RC", style.RC)
    a_font(tmp_path / "one.ttf", "\u65e5")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    found = [str(tmp_path / "broken.ttf"), str(tmp_path / "one.ttf")]
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: found)
    fonts._search.cache_clear()
    assert fonts.find_fonts(["\u65e5", "żółw", "العربية"]) == ""
    assert style.RC["font.family"] == ["DejaVu Sans", "Only One Letter"]
    assert "has the letters \u8a9e: figures show boxes" in fonts.find_fonts(["\u65e5\u8a9e"])
    fonts._search.cache_clear()
    assert fonts.find_fonts(["abc"]) == ""
    assert style.RC["font.family"] == ["DejaVu Sans"]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_streams_that_lack_letters(encoding: str) -> None:
    for line in (["train-regression", "--help"], ["predict-langid", "żółw", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "dlproj", *line],
            capture_output=True,
            check=False,
            env={**environment(), "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr
        out = done.stdout.decode(encoding)
        assert r"\u03c0" in out or r"\u017c" in out


def test_json_is_json_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    Console(json=True).result({"name": "\U0001f600 日本"}, ())
    stream.flush()
    import json

    assert json.loads(stream.buffer.getvalue())["name"] == "\U0001f600 日本"

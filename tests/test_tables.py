"""Tables as people's tools write them: read rightly, or refused in one line with the way out."""

import gzip
import math
from pathlib import Path

import pytest

from dlproj.data.regression import Curve, load_curve
from dlproj.data.text import tables
from dlproj.data.text.words import read_words
from dlproj.data.words import WordData, load_words
from dlproj.dialect import AS_FOUND, Dialect
from dlproj.errors import DlprojError, UsageError
from tests.conftest import Dlproj

WORDS = [
    (f"{word}{chr(97 + n // 26)}{chr(97 + n % 26)}", label)
    for n in range(120)
    for word, label in (("sol", "es"), ("sun", "en"))
]
POINTS = [(n / 10, math.sin(n / 10)) for n in range(60)]


def csv(rows: list[tuple[str, str]], separator: str = ",", end: str = "\n") -> str:
    return end.join(separator.join(row) for row in rows) + end


def comma(number: float) -> str:
    return f"{number:.5f}".replace(".", ",")


def words(tmp_path: Path, content: bytes | str, dialect: Dialect = AS_FOUND) -> WordData:
    path = tmp_path / "words.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_words(path, dialect)


def points(tmp_path: Path, content: bytes | str, dialect: Dialect = AS_FOUND) -> Curve:
    path = tmp_path / "points.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_curve(path=path, dialect=dialect)


PLAIN = csv(WORDS)
WRITTEN_WORDS: dict[str, bytes | str] = {
    "semicolons": csv(WORDS, ";"),
    "tabs": csv(WORDS, "\t"),
    "bars": csv(WORDS, "|"),
    "white space": csv(WORDS, "  "),
    "a header": "word,label\n" + PLAIN,
    "a header of unknown names": "slovo,jazyk\n" + PLAIN,
    "blank lines": "\n\n" + PLAIN.replace("\n", "\n\n", 30) + "\n\n",
    "comments": "# from my notes\n" + PLAIN,
    "Windows' line ends": csv(WORDS, end="\r\n"),
    "old line ends of Macs": csv(WORDS, end="\r"),
    "quotes": "".join(f'"{word}","{label}"\n' for word, label in WORDS),
    "spaces": csv(WORDS, ", "),
    "separators at the end": csv(WORDS, ",", ",\n").removesuffix(",\n") + ",\n",
    "semicolons at the end": csv(WORDS, ";", ";\n"),
    "blank cells at the end": csv(WORDS, ",", ",\t\n"),
    "Excel's own first line": "sep=;\n" + csv(WORDS, ";"),
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "gzip": gzip.compress(PLAIN.encode()),
    "JSON lines": "".join(f'{{"word": "{word}", "label": "{label}"}}\n' for word, label in WORDS),
    "known columns among others": "id,language,word\n"
    + "".join(f"{n},{label},{word}\n" for n, (word, label) in enumerate(WORDS)),
}


@pytest.mark.parametrize("name", WRITTEN_WORDS)
def test_words_are_the_same_however_they_are_written(name: str, tmp_path: Path) -> None:
    expected, found = words(tmp_path, PLAIN), words(tmp_path, WRITTEN_WORDS[name])
    assert (found.names, found.alphabet) == (expected.names, expected.alphabet)
    for split in ("train", "validation", "test"):
        one, other = getattr(expected, split), getattr(found, split)
        assert one.letters.equal(other.letters)
        assert one.labels.equal(other.labels)
    assert "240 rows; en 120, es 120; the first: solaa, es" in found.notes.summary
    said = any("is taken for a header" in remark for remark in found.notes.remarks)
    assert said == (name.startswith(("a header", "JSON", "known")))
    meant = "of 3 columns two are read: word is column word, label is column language"
    assert (meant in found.notes.remarks) == name.startswith("known")


def test_excels_own_first_line_says_what_separates_whatever_else_would(tmp_path: Path) -> None:
    rows = csv([(f"{word};x", label) for word, label in WORDS])
    assert words(tmp_path, rows).names == ["x,en", "x,es"]
    assert words(tmp_path, "sep=,\n" + rows).names == ["en", "es"]


HEADS = {
    "word": "word words token text term name string input lemma form Wort mot palabra parola słowo "
    "woord sana",
    "label": "label labels language languages lang lang_id langid class target Category locale iso "
    "Sprache langue idioma lingua język taal kieli",
}


@pytest.mark.parametrize("column", HEADS)
def test_a_header_is_known_by_the_names_of_its_columns(column: str, tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    for name in HEADS[column].split():
        word, label = (name, "Label") if column == "word" else ("Word", name)
        path.write_text(f"{label},{word}\nen,sun\n", encoding="utf-8")
        assert read_words(path, Dialect(columns="2,1"), 10_000).words == ["sun"], name
        path.write_text(f"id,{label},{word}\n1,en,sun\n", encoding="utf-8")
        assert read_words(path, AS_FOUND, 10_000).words == ["sun"], name


@pytest.mark.parametrize("below", [19, 20])
def test_twenty_rows_are_too_few_to_tell_a_header_of_unknown_names(
    below: int, tmp_path: Path
) -> None:
    path = tmp_path / "words.csv"
    path.write_text("slovo,jazyk\n" + csv(WORDS[:below]))
    assert len(read_words(path, AS_FOUND, 10_000).words) == 20


def test_twenty_rows_of_a_label_are_enough_and_twenty_labels_not_too_many(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("ala,a\n" * 20 + "bela,b\n" * 19)
    remarks = read_words(path, AS_FOUND, 10_000).notes.remarks
    assert "fewer than 20 rows have the label b" in remarks
    path.write_text("ala,a\n" * 11 + "".join(f"ala,label{n}\n" for n in range(19)))
    assert len(read_words(path, AS_FOUND, 10_000).words) == 30
    path.write_text("ala,a\n" * 10 + "".join(f"ala,label{n}\n" for n in range(20)))
    with pytest.raises(DlprojError, match="21 different labels in 30 rows"):
        read_words(path, AS_FOUND, 10_000)
    many = "".join(f"ala,label{n}\nbela,label{n}\n" for n in range(21))
    path.write_text(many)  # two rows of each
    assert len(read_words(path, AS_FOUND, 10_000).words) == 42
    path.write_text(many.removesuffix("bela,label20\n"))
    with pytest.raises(DlprojError, match="21 different labels in 41 rows"):
        read_words(path, AS_FOUND, 10_000)


XY = [(repr(x), repr(y)) for x, y in POINTS]
WRITTEN_POINTS: dict[str, str] = {
    "tabs": csv(XY, "\t"),
    "white space": csv(XY, "   "),
    "aligned": "".join(f"{x:>12} {y:>24}\n" for x, y in XY),
    "a header with units": "t [s],U (V)\n" + csv(XY),
    "a header of one name": "x,\n" + csv(XY),
    "a comment": "# my data\n" + csv(XY),
    "typographic minus": csv(XY).replace("-", "\u2212"),
    "scientific": "".join(f"{x!r},{y:.17e}\n" for x, y in POINTS),
    "JSON lines": "".join(f'{{"x": {x!r}, "y": {y!r}}}\n' for x, y in POINTS),
}


@pytest.mark.parametrize("name", WRITTEN_POINTS)
def test_points_are_the_same_however_they_are_written(name: str, tmp_path: Path) -> None:
    expected, found = points(tmp_path, csv(XY)), points(tmp_path, WRITTEN_POINTS[name])
    assert expected.train.x.equal(found.train.x)
    assert expected.train.y.allclose(found.train.y, rtol=1e-15, atol=0)
    assert "60 rows; the first: x = 0, y = 0" in found.notes.summary


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas(separator: str, tmp_path: Path) -> None:
    content = csv([(comma(x), comma(y)) for x, y in POINTS], separator)
    found = points(tmp_path, content)
    assert found.train.y[1].item() == pytest.approx(math.sin(0.1), abs=1e-5)
    assert "decimal commas" in found.notes.summary


def test_commas_that_may_divide_thousands_are_asked_about(tmp_path: Path) -> None:
    content = "".join(f"{n};{n},250\n" for n in range(1, 40))
    with pytest.raises(DlprojError, match=r"1,250 may have decimals or thousands; say --decimal"):
        points(tmp_path, content)
    found = points(tmp_path, content, Dialect(decimal="comma"))
    assert found.train.y[0].item() == 1.25
    with pytest.raises(DlprojError, match=r"line 1: .* thousands without separators"):
        points(tmp_path, content, Dialect(decimal="point"))


def test_points_and_commas_are_not_mixed(tmp_path: Path) -> None:
    content = csv([(comma(x), comma(y)) for x, y in POINTS], ";") + "7.5;0,9\n"
    with pytest.raises(DlprojError, match=r"line 61: .* x is 7.5, with a decimal point where"):
        points(tmp_path, content)


def test_columns_by_name_and_by_number(tmp_path: Path) -> None:
    content = "time,x_pos,y_pos\n" + "".join(f"{n},{n + 1},{n * n}\n" for n in range(40))
    with pytest.raises(DlprojError, match=r"3 columns \(time, x_pos, y_pos\); name two with --col"):
        points(tmp_path, content)
    by_name = points(tmp_path, content, Dialect(columns="x_pos, y_pos"))
    by_number = points(tmp_path, content, Dialect(columns="2,3"))
    assert by_name.train.y.equal(by_number.train.y)
    assert by_name.train.x[0].item() == 1
    with pytest.raises(DlprojError, match="no column --columns a,b in line 1: time, x_pos, y_pos"):
        points(tmp_path, content, Dialect(columns="a,b"))
    with pytest.raises(DlprojError, match="has 3 columns; --columns 1,4 names others"):
        points(tmp_path, content, Dialect(columns="1,4"))


BROKEN_POINTS = {
    "not a number first": ("nan,0.3\n", "line 1: must be two numbers, but x is nan"),
    "a letter for a digit": ("0.l,5\n", "line 1: must be two numbers, but x is '0.l'"),
    "no x": (",3\n", "line 1: must be two numbers, but x is empty"),
    "infinite": ("1,inf\n", "line 1: .* y is inf"),
    "missing": ("1,NA\n", "line 1: .* y is NA"),
    "thousands": ('"1,234.5",2\n', "thousands without separators"),
    "Python's own": ("1_000,2\n", "'1_000', which is no number"),
    "beyond": ("1e300,2\n", "up to 1e15"),
    "another row's width": ("1,2,3\n", "line 1 has 3 columns, most others have 2"),
}


@pytest.mark.parametrize("name", BROKEN_POINTS)
def test_a_broken_first_row_is_no_header(name: str, tmp_path: Path) -> None:
    first, message = BROKEN_POINTS[name]
    with pytest.raises(DlprojError, match=message):
        points(tmp_path, first + csv(XY))


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \n\n", "empty"),
    "Latin-1": ("ma\u00f1ana,es\n".encode("latin-1"), "line 1 is not UTF-8 text; .* --encoding"),
    "Latin-1 below": ("\nma\u00f1ana,es\n".encode("latin-1"), "line 2 is not UTF-8 text"),
    "a workbook": (b"PK\x03\x04" + bytes(50), "workbook of Excel: save the sheet as CSV"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(50), "workbook of Excel"),
    "zero bytes": (b"a,b\0c\n" * 30, "no text file"),
    "one column": (b"alpha\nbeta\n", "line 1: must be word,label; name what separates"),
    "comments alone": (b"#sol,es\n#sun,en\n", "each line begins with #, as comments do"),
    "an open quote": (PLAIN.encode() + b'"sol,es\nsun,en\n', "line 241 has a quote"),
    "a quote over lines": (b'"sol,es\nsun",en\n' + PLAIN.encode(), "over several lines"),
    "an empty label": (PLAIN.encode() + b"sun,\n", "line 241: the label is empty"),
    "columns exchanged": (
        csv([(label, word) for word, label in WORDS]).encode(),
        "--columns 2,1",
    ),
    "a JSON array": (b'[{"word": "a", "label": "b"}]', "line 1 must be a JSON object"),
    "damaged gzip": (gzip.compress(PLAIN.encode())[:-30], "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_what_to_do(name: str, tmp_path: Path) -> None:
    content, message = REFUSED[name]
    with pytest.raises(DlprojError, match=message) as raised:
        words(tmp_path, content)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("--data ")


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    rows = [(word.replace("s", "ñ"), label) for word, label in WORDS]
    found = words(tmp_path, csv(rows).encode("cp1252"), Dialect(encoding="cp1252"))
    assert "ñ" in found.alphabet


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DlprojError, match="a folder; name a file in it"):
        load_words(tmp_path)


def test_composed_and_decomposed_letters_are_the_same(tmp_path: Path) -> None:
    rows = [(f"e\u0301{word}", label) for word, label in WORDS]
    found = words(tmp_path, csv(rows))
    assert "é" in found.alphabet
    assert "\u0301" not in found.alphabet


def test_repeated_and_contradicting_rows_are_counted(tmp_path: Path) -> None:
    content = PLAIN + csv(WORDS[:6]) + csv([(word, "pt") for word, _ in WORDS[:50]])
    remarks = words(tmp_path, content).notes.remarks
    assert remarks[0] == "6 rows repeat an earlier one"
    assert remarks[1].startswith("50 words have more than one label, the first solaa")
    remarks = points(tmp_path, csv(XY) + csv(XY[:3]) + "0.5,7\n").notes.remarks
    assert remarks == ("3 rows repeat an earlier one", "1 x has more than one y")


def test_labels_that_differ_in_capitals_are_pointed_out(tmp_path: Path) -> None:
    content = PLAIN + csv([(f"x{word}", "EN") for word, _ in WORDS[:30]])
    assert any("capitals alone" in remark for remark in words(tmp_path, content).notes.remarks)


WRONG = {
    "columns": {"columns": "word"},
    "one column twice": {"columns": "1,1"},
    "column 0": {"columns": "0,1"},
    "delimiter": {"delimiter": "::"},
    "quote": {"delimiter": '"'},
    "encoding": {"encoding": "klingon"},
    "no text encoding": {"encoding": "hex"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_dialect_is_wrong_use(name: str) -> None:
    with pytest.raises(UsageError, match="--"):
        Dialect(**WRONG[name])


def test_the_command_line(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(
        "id;word;label\n"
        + "".join(f"{n};{word};{label}\n" for n, (word, label) in enumerate(WORDS))
    )
    done = dlproj(
        "train-langid",
        "--data",
        "own.csv",
        "--epochs",
        1,
        "--no-plots",
        "--json",
        "--columns",
        "word,label",
        "--delimiter",
        "semicolon",
    )
    assert done.code == 0, done.err
    assert "own.csv (UTF-8, separated by semicolons): 240 rows; en 120, es 120" in done.err
    assert "remark: line 1 is taken for a header: id, word, label\n" in done.err
    assert "line 1 is taken for a header: id, word, label" in done.json["remarks"]
    done = dlproj("train-regression", "--decimal", "comma")
    assert done.code == 2
    assert done.err == "dlproj: --decimal says how --data is written: give that too\n"


def test_python_users_are_warned(tmp_path: Path) -> None:
    from dlproj import DataWarning, train_regression

    (tmp_path / "own.csv").write_text("x,y\n" + csv(XY))
    with pytest.warns(DataWarning, match="line 1 is taken for a header"):
        run = train_regression(data=Path("own.csv"), epochs=1)
    assert run.remarks == ["line 1 is taken for a header: x, y"]


@pytest.mark.parametrize("change", ["exchanged", "gone"])
def test_a_run_goes_on_with_its_own_data_alone(change: str, dlproj: Dlproj, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(csv(XY))
    line = ("train-regression", "--data", path, "--epochs", 2, "--no-plots", "--out", "run")
    assert dlproj(*line).code == 0
    (tmp_path / "run" / "result.json").unlink()
    path.write_text(csv(XY[::-1])) if change == "exchanged" else path.unlink()
    done = dlproj("train-regression", "--resume", "run")
    assert done.code == 1
    assert "own.csv " + {"exchanged": "has changed", "gone": "is gone"}[change] in done.err
    path.write_text(csv(XY))
    assert dlproj("train-regression", "--resume", "run").code == 0


def test_the_inputs_that_failed(course: Path) -> None:
    folder = course / "inputs" / "tables"
    if not folder.is_dir():
        pytest.skip(f"no such folder: {folder}")
    for path in sorted(folder.glob("points_*")):
        assert "200 rows; the first: x = 0, y = 0" in load_curve(path=path).notes.summary
    for path in sorted(folder.glob("words_*")):
        if path.stem in {"words_few", "words_latin1"}:
            with pytest.raises(DlprojError, match=r"too few words|--encoding"):
                load_words(path)
        else:
            assert load_words(path).names == ["en", "es"]


def test_a_table_has_as_many_rows_as_are_allowed_and_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("word,label\n" + PLAIN)
    monkeypatch.setattr(tables, "MOST_ROWS", len(WORDS))
    assert len(read_words(path, AS_FOUND, 10_000).words) == len(WORDS)
    monkeypatch.setattr(tables, "MOST_ROWS", len(WORDS) - 1)
    with pytest.raises(DlprojError, match=f"has more than {len(WORDS) - 1} rows"):
        read_words(path, AS_FOUND, 10_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_encoding_that_was_found_is_named(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(PLAIN, encoding=encoding)
    name = encoding.upper().removesuffix("-SIG")
    assert name in read_words(path, AS_FOUND, 10_000).notes.summary

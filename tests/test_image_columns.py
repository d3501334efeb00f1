"""Which column of a table of images is the label, by its name or by what it holds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlproj.data.digits import Digits, load_digits
from dlproj.data.images import tables
from dlproj.data.images.columns import is_header
from dlproj.data.images.found import Part
from dlproj.errors import DlprojError

KINDS = np.arange(60) % 3
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 16))
IMAGES[:, [0, -1]] = 0, 255  # a corner that is always black, and one that is always white
PIXELS = [f"p{n}" for n in range(16)]


def table(path: Path, columns: list[Any], header: list[str] | None = None) -> Path:
    """A table of single columns, and of all pixels where they are named so."""
    rows = np.column_stack([IMAGES if column is PIXELS else column for column in columns])
    lines = [*([header] if header else []), *rows.astype(str).tolist()]
    path.write_text("\n".join(map(",".join, lines)))
    return path


def labels(digits: Digits) -> list[int]:
    return sorted([*digits.train.labels.tolist(), *digits.test.labels.tolist()])


@pytest.mark.parametrize("name", ["label", "Class", "number", "TARGET", "y"])
@pytest.mark.parametrize("place", [1, 7, 15])
def test_a_label_may_stand_anywhere_under_its_name(name: str, place: int, tmp_path: Path) -> None:
    columns = [IMAGES[:, :place], KINDS, IMAGES[:, place:]]
    header = [*PIXELS[:place], name, *PIXELS[place:]]
    digits = load_digits(folder=table(tmp_path / "own.csv", columns, header))
    assert labels(digits) == sorted(KINDS.tolist())
    assert f"own.csv: the label is column {place + 1}" in digits.notes.remarks
    first = load_digits(folder=table(tmp_path / "first.csv", [KINDS, PIXELS]))
    assert digits.train.pictures.equal(first.train.pictures)
    assert digits.train.labels.equal(first.train.labels)


@pytest.mark.parametrize("name", ["id", "Id", "index", "ImageId", "Unnamed: 0", ""])
def test_numbers_of_rows_are_passed_over(name: str, tmp_path: Path) -> None:
    header = [name, "label", *PIXELS]
    digits = load_digits(folder=table(tmp_path / "own.csv", [range(60), KINDS, PIXELS], header))
    assert labels(digits) == sorted(KINDS.tolist())
    remark = f"own.csv: column 1 ({name or 'no name'}) is passed over"
    assert remark in digits.notes.remarks
    texts = np.array([f"a{n}" for n in range(60)])
    other = table(tmp_path / "other.csv", [KINDS, PIXELS, texts], ["kind", *PIXELS, name or "id"])
    digits = load_digits(folder=other)
    assert labels(digits) == sorted(KINDS.tolist())
    assert not any("the label is" in remark for remark in digits.notes.remarks)


def test_numbers_of_rows_are_no_labels(tmp_path: Path) -> None:
    path = table(tmp_path / "train.csv", [range(60), PIXELS], ["ImageId", *PIXELS])
    with pytest.raises(DlprojError, match="or name its column label"):
        load_digits(folder=path)
    path.rename(tmp_path / "test.csv")
    table(tmp_path / "train.csv", [KINDS, PIXELS])
    assert "test.csv has no labels: passed over" in load_digits(folder=tmp_path).notes.remarks


@pytest.mark.parametrize("header", [None, [*PIXELS, "what"], ["label", *PIXELS]])
def test_a_label_that_is_always_the_same_is_refused_where_the_last_column_is_not(
    header: list[str] | None, tmp_path: Path
) -> None:
    path = table(tmp_path / "own.csv", [PIXELS, KINDS], header)
    with pytest.raises(DlprojError, match="has the label 0, but its last column looks like labels"):
        load_digits(folder=path)


@pytest.mark.parametrize("last", [np.full(60, 7), KINDS / 2, KINDS - 1, KINDS * 500])
def test_what_cannot_be_labels_does_not_look_like_them(last: Any) -> None:
    images = np.column_stack([IMAGES[:, 1:], last])
    tables._check_label(Part(images, np.zeros(60)), Path("own.csv"))


def test_two_labels_and_headers_of_another_width_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "own.csv", [KINDS, KINDS, PIXELS], ["label", "Class", *PIXELS])
    with pytest.raises(DlprojError, match=r"several columns may be the label \(label, Class\)"):
        load_digits(folder=path)
    path = table(tmp_path / "own.csv", [range(60), KINDS, PIXELS], ["label", *PIXELS])
    with pytest.raises(DlprojError, match="the header has 17 columns, but line 2 has 18"):
        load_digits(folder=path)


NUMBERS = [str(n) for n in range(17)]


@pytest.mark.parametrize(
    "header", [NUMBERS, ["label", *NUMBERS[:-1]], ["label", *NUMBERS[1:]], ["", *NUMBERS]]
)
def test_a_header_may_count_its_columns(header: list[str], tmp_path: Path) -> None:
    columns: list[Any] = [KINDS, PIXELS] if header[0] else [range(60), KINDS, PIXELS]
    digits = load_digits(folder=table(tmp_path / "own.csv", columns, header))
    assert labels(digits) == sorted(KINDS.tolist())
    assert any("line 1 is taken for a header" in remark for remark in digits.notes.remarks)


@pytest.mark.parametrize("row", [NUMBERS[1:], NUMBERS[::-1], ["a", *NUMBERS], [*NUMBERS, "16"]])
def test_a_line_that_does_not_count_is_an_image(row: list[str]) -> None:
    assert not is_header(row)


@pytest.mark.parametrize(
    "header", [None, ["label", *PIXELS], ["kind", *PIXELS], ["label", *NUMBERS[:-1]]]
)
@pytest.mark.parametrize("front", [True, False])
def test_labels_may_be_texts(front: bool, header: list[str] | None, tmp_path: Path) -> None:
    names = np.array(["t-shirt", "日", '"new york"'])[KINDS]
    columns = [names, PIXELS] if front else [PIXELS, names]
    heads = header if front or not header else [*header[1:], header[0]]
    digits = load_digits(folder=table(tmp_path / "own.csv", columns, heads))
    assert digits.names == ["new york", "t-shirt", "日"]
    assert np.bincount(labels(digits)).tolist() == [20, 20, 20]
    digits = load_digits(folder=table(tmp_path / "own.csv", [np.array([*"7ab"])[KINDS], PIXELS]))
    assert digits.names == ["7", "a", "b"]


def test_labels_of_two_tables_are_the_same_as_numbers_and_as_texts(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", [np.array([*"01a"])[KINDS], PIXELS])
    table(tmp_path / "test.csv", [KINDS % 2, PIXELS])
    digits = load_digits(folder=tmp_path)
    assert digits.names == ["0", "1", "a"]
    assert digits.test.labels.tolist() == (KINDS % 2).tolist()


def test_a_row_without_a_label_is_refused(tmp_path: Path) -> None:
    names = np.array([*"abc"])[KINDS]
    names[7] = " "
    path = table(tmp_path / "own.csv", [names, PIXELS], ["label", *PIXELS])
    with pytest.raises(DlprojError, match=r"own.csv: could not convert string ' ' .* at line 9"):
        load_digits(folder=path)

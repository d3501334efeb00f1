"""Tables of images, a label and pixels on each line, as Kaggle has MNIST."""

import gzip
from pathlib import Path

import pytest

from dlproj.data.digits import load_digits
from dlproj.errors import DlprojError
from tests.support.own_images import TEST, TRAIN, csv, is_mnist, remarks

PIXELS = ",".join(f"pixel{n}" for n in range(784))


def test_tables_of_label_and_pixels(tmp_path: Path) -> None:
    for name, header, place in (
        ("plain", "", 0),
        ("headed", f"label,{PIXELS}\n", 0),
        ("last", f"{PIXELS},class\n", 784),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mnist_train.csv").write_bytes(csv(TRAIN, header, place))
        (folder / "mnist_test.csv.gz").write_bytes(gzip.compress(csv(TEST, header, place)))
        digits = load_digits(folder=folder)
        assert is_mnist(digits)
        for table in ("mnist_train.csv", "mnist_test.csv.gz"):
            assert (f"{table}: line 1 is taken for a header" in remarks(digits)) == bool(header)
            assert (f"{table}: the label is the last column" in remarks(digits)) == bool(place)


def test_a_header_is_a_line_of_which_less_than_half_is_numbers(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    rows = "".join(f"{n % 2},{'0,' * 14}{n},255\n" for n in range(60))
    path.write_text(f"label,{'a,b,' * 4}1,2,3,4,5,6,7,8\n{rows}")
    digits = load_digits(folder=path)
    assert "own.csv: line 1 is taken for a header: label, a, b" in remarks(digits)
    path.write_text(f"label,{'a,b,' * 3}1,2,3,4,5,6,7,8,9,10\n{rows}")
    with pytest.raises(DlprojError, match=r"'a' .* at line 1"):
        load_digits(folder=path)


def test_a_table_by_itself_is_parted(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(csv(TRAIN))
    digits = load_digits(folder=tmp_path / "own.csv")
    assert len(digits.train) + len(digits.test) == 300
    assert remarks(digits).startswith("no test images: a tenth, by a hash of each image, is held")


def test_kaggles_test_table_without_labels_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(csv(TRAIN, f"label,{PIXELS}\n"))
    rows = "\n".join(",".join(map(str, row)) for row in TEST[0].reshape(100, -1))
    (tmp_path / "test.csv").write_text(f"{PIXELS}\n{rows}")
    digits = load_digits(folder=tmp_path)
    assert "test.csv has no labels: passed over" in remarks(digits)
    assert 15 < len(digits.test) < 50
    assert len(digits.test) + len(digits.train) == 300
    again = load_digits(folder=tmp_path / "train.csv")
    assert again.test.pictures.equal(digits.test.pictures)


def test_tables_that_are_refused_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    good = csv((TRAIN[0][:3], TRAIN[1][:3])).decode()
    for bad, message in (
        (good + "\n5,x" + ",0" * 783, "'x' .* at line 4"),
        (good + "\n5" + ",0" * 783, "from 785 to 784 at line 4"),
        ("a,b,c\n1,2,3\n", "has 3 columns; expected are a label and the pixels of a square"),
        ("", "empty"),
    ):
        path.write_text(bad)
        with pytest.raises(DlprojError, match=message):
            load_digits(folder=path)

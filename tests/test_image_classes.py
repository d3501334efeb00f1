"""Labels as classes: their names, how many there may be, and what is said of their images."""

import string

import numpy as np
import pytest

from dlproj.data.images.classes import to_classes
from dlproj.errors import DlprojError


def remarks(train: list[int], test: list[int]) -> list[str]:
    return to_classes(np.array(train), np.array(test), None, "own.npz")[3]


def test_what_is_said_of_classes_without_images() -> None:
    """Nothing where both have images, and of a class in neither that alone."""
    ten = list(range(10))
    assert remarks(ten, ten) == []
    assert remarks(ten, [*ten[:8], 0, 0]) == ["no test images of 8, 9"]
    assert remarks([0, *ten[:7], 8, 9], ten) == [
        "no training images of 7, which the test images have"
    ]
    assert remarks([0] * 6 + [1, 2, 3, 4], [0] * 7 + [1, 2, 5]) == [
        "no images of 6, 7, 8, 9",
        "no training images of 5, which the test images have",
        "no test images of 3, 4",
    ]


def test_fewer_than_ten_test_images_say_little_and_more_than_for_training_are_odd() -> None:
    ten = list(range(10))
    assert remarks([*ten, *ten], ten[:9]) == [
        "no test images of 9",
        "9 test images: an accuracy of so few says little",
    ]
    assert remarks(ten, [*ten, 3]) == [
        "more test images (11) than training images (10): are the files exchanged?"
    ]


@pytest.mark.parametrize(("count", "said"), [(1, "1 class"), (1001, "1,001 classes")])
def test_two_to_a_thousand_classes_can_be(count: int, said: str) -> None:
    for fine in (2, 1000):
        names = [f"class {number:04}" for number in range(fine)]
        train, test, shown, _ = to_classes(np.array(names), np.array(names[:1]), None, "own.npz")
        assert (train.tolist(), test.tolist(), shown) == (list(range(fine)), [0], names)
    labels = np.array([f"class {number}" for number in range(count)])
    with pytest.raises(DlprojError) as refused:
        to_classes(labels, labels, None, "own.npz")
    assert str(refused.value) == f"own.npz: {said}; 2 to 1000 can be"


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        ([0, 9], list(string.digits), ""),  # up to 9 they are digits
        ([0, 10], ["0", "10"], "labels from 0 to 10 leave out 1, 2, 3, 4, 5, 6, 7, 8, and 1 more"),
        ([10, 11], ["10", "11"], ""),
        (
            list(range(1, 27)),
            list(string.ascii_lowercase),
            "labels from 1 to 26 are taken for the letters a to z",
        ),
        (list(range(1, 26)), [str(n) for n in range(1, 26)], ""),
    ],
)
def test_names_of_labels_without_names(labels: list[int], names: list[str], said: str) -> None:
    for kind in (np.uint8, np.float64, np.str_, np.bytes_):
        given = np.array(labels).astype(kind)
        train, _, shown, remarks = to_classes(given, given, None, "own.npz")
        assert shown == names
        assert [names[place] for place in train] == [names[i] for i in order(labels, names)]
        assert [each for each in remarks if each.startswith("labels")] == ([said] if said else [])


def order(labels: list[int], names: list[str]) -> list[int]:
    """The place of each label among the names: its own where all ten digits are named."""
    return labels if names == list(string.digits) else list(range(len(labels)))

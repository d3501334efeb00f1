"""Soft labels: relative frequencies, tables of them, and what is learnt of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from dlproj.data.soft_labels import (
    FrequencyTable,
    of_one_language,
    read_frequencies,
    soft_labels,
    write_frequencies,
)
from dlproj.data.words import Words, encode, join_words, load_words, soft_words
from dlproj.dialect import Dialect
from dlproj.errors import DlprojError
from dlproj.experiments import langid
from dlproj.experiments.calibration import best_temperature, calibration
from dlproj.experiments.langid import make_targets
from dlproj.models.files import LANGID, load_model
from dlproj.models.ngrams import NgramBag
from dlproj.results.langid import Calibration
from dlproj.settings import LangidConfig
from dlproj.training.device import choose_machine
from tests.conftest import Dlproj


def test_a_word_that_a_list_lacks_has_a_tenth_of_the_least_frequency() -> None:
    shares = soft_labels(np.array([[30.0, 10.0], [10.0, 0.0]]))
    assert shares[0] == pytest.approx([0.75, 0.25])
    assert shares[1] == pytest.approx([10 / 11, 1 / 11])


def test_a_word_belongs_to_the_language_where_it_is_ten_times_as_frequent() -> None:
    frequencies = np.array([[100.0, 10.0, 2.0], [99.0, 10.0, 2.0], [10.0, 0.0, 0.0], [9, 0, 0]])
    assert of_one_language(frequencies).tolist() == [True, False, True, False]


def test_a_table_of_frequencies_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = FrequencyTable(["żółw", "hotel"], ["pl", "en"], np.array([[120.5, 0.0], [7.25, 9.0]]))
    written = write_frequencies(table)
    assert written.decode() == "word,pl,en\nżółw,120.5,0\nhotel,7.25,9\n"
    (tmp_path / "words.csv").write_bytes(written)
    read = read_frequencies(tmp_path / "words.csv")
    assert (read.words, read.languages) == (table.words, table.languages)
    assert read.frequencies.tolist() == table.frequencies.tolist()


def test_the_letters_of_a_table_of_frequencies_are_those_of_its_words(tmp_path: Path) -> None:
    words = [f"жук{n}" for n in range(200)]
    (tmp_path / "words.csv").write_text("word,ru,en\n" + "".join(f"{w},9,0.1\n" for w in words))
    data = load_words(tmp_path / "words.csv")
    rows = [row for part in (data.train, data.validation, data.test) for row in part.letters]
    spelt = ["".join(data.alphabet[place] for place in row if place >= 0) for row in rows]
    assert sorted(spelt) == sorted(words)


def test_a_table_of_frequencies_is_composed_and_says_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    table = FrequencyTable(["m\u0061\u0308dchen"], ["de", "nl"], np.array([[1.0, 2.0]]))
    path.write_bytes(write_frequencies(table))
    assert read_frequencies(path).words == ["m\u00e4dchen"]
    words = [f"{prefix}{number}a" for number in range(200) for prefix in "ab"]
    frequencies = np.array([[10.0, 0.1], [0.1, 10.0]] * 200)
    path.write_bytes(write_frequencies(FrequencyTable(words, ["de", "nl"], frequencies)))
    summary = load_words(path).notes.summary
    assert "(frequencies): 400 words; languages: de, nl; the first: a0a" in summary


@pytest.mark.parametrize(
    ("header", "dialect"),
    [
        ("word,language,source", Dialect()),
        ("word,count,Label", Dialect(columns="word,Label")),
        ("word,kind,rank", Dialect(columns="1,2")),
    ],
)
def test_a_table_with_a_column_of_labels_is_none_of_frequencies(
    header: str, dialect: Dialect, tmp_path: Path
) -> None:
    label = header.lower().split(",").index("label") if "Label" in header else 1
    rows = []
    for number in range(400):
        cells = [f"w{number}", "7", "7"]
        cells[label] = str(number % 2 + 1)
        rows.append(",".join(cells))
    path = tmp_path / "own.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    data = load_words(path, dialect)
    assert data.names == ["1", "2"]
    assert data.train.shares is None


BAD_TABLES = {
    "no frequency": ("word,en,nl\nhet,1\n", "line 2: must be a word and 2 frequencies"),
    "text": ("word,en,nl\nhet,1,often\n", "line 2: must be"),
    "negative": ("word,en,nl\nhet,1,-1\n", "line 2: must be"),
    "infinite": ("word,en,nl\nhet,1,inf\n", "line 2: must be"),
    "nowhere": ("word,en,nl\nhet,0,0\n", "frequent in one language at least"),
    "twice": ("word,en,nl\nhet,0,1\nHet,1,2\n", "line 3: het twice"),
    "blank": ("word,en,nl\n ,0,1\n", "line 2: no word there"),
    "empty": ("word,en,nl\n", "no words"),
    "same name": ("word,en,en\nhet,0,1\n", "a name of its own"),
    "few": ("word,en,nl\nhet,0,1\n", "too few words"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_refuses_a_table_that_is_none_of_frequencies(name: str, tmp_path: Path) -> None:
    content, message = BAD_TABLES[name]
    (tmp_path / "words.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DlprojError, match=message):
        load_words(tmp_path / "words.csv")


def test_frequencies_are_learnt_and_shared_words_not_counted(
    dlproj: Dlproj, tmp_path: Path
) -> None:
    rows = [
        f"ij{n}oo,0,{n + 20}\nthe{n}ing,{n + 20},0\nhotel{n},{n + 9},{n + 9}" for n in range(300)
    ]
    (tmp_path / "words.csv").write_text("word,en,nl\n" + "\n".join(rows), encoding="utf-8")
    done = dlproj(
        "train-langid",
        "--recipe",
        "best",
        "--epochs",
        4,
        "--batch-size",
        128,
        "--data",
        "words.csv",
        "--no-plots",
        "--out",
        "run",
        "--json",
    )
    assert done.code == 0, done.err
    assert done.json["metrics"]["test_accuracy"] == 1
    shown = dlproj("predict-langid", "hotel7", "the8ing", "--model", "run", "--json").json
    shared, own = shown["predictions"]
    assert shared["confidence"] < 0.7 < own["confidence"]


def test_all_words_are_trained_on_when_none_is_held_out(dlproj: Dlproj, tmp_path: Path) -> None:
    rows = [f"{a}{b}ij,0.1,9\n{a}{b}th,9,0.1" for a in "abcdefgh" for b in "abcdefgh"]
    (tmp_path / "words.csv").write_text("word,en,nl\n" + "\n".join(rows), encoding="utf-8")
    done = dlproj(
        "train-langid",
        "--recipe",
        "best",
        "--epochs",
        1,
        "--data",
        "words.csv",
        "--no-held-out",
        "--no-plots",
        "--json",
    )
    assert done.code == 0, done.err
    assert "all words are trained on" in done.err
    assert done.json["metrics"]["test_accuracy"] == 1  # known by heart


def test_joined_words_are_padded_to_the_longest() -> None:
    short, long = (
        soft_words([word], np.array([[1.0, 3.0]]), owned=np.array([False]), alphabet="ab")
        for word in ("a", "baba")
    )
    joined = join_words([short, long])
    assert joined.letters.tolist() == [[0, -1, -1, -1], [1, 0, 1, 0]]
    assert joined.lengths.tolist() == [1, 4]
    assert joined.shares is not None
    assert joined.shares.shape == (2, 2)


def test_frequent_words_weigh_more_in_the_targets() -> None:
    words = soft_words(
        ["aa", "bb"], np.array([[16.0, 0.0], [0.0, 1.0]]), owned=np.ones(2, bool), alphabet="ab"
    )
    config = LangidConfig(frequency_power=0.5, label_smoothing=0.0)
    targets = make_targets(words, config)
    assert targets.sum(1).tolist() == pytest.approx([1.6, 0.4])
    assert (targets[0] / targets[0].sum()).tolist() == pytest.approx([16 / 16.1, 0.1 / 16.1])


def test_words_are_known_by_heart_and_others_are_not() -> None:
    torch.manual_seed(0)
    model = NgramBag(letters=6, classes=3, known=256).eval()
    words = torch.tensor([[0, 1, 2], [2, 1, 0], [0, -1, 1]])
    other = torch.tensor([[1, 0, 2], [0, 2, 1]])
    before = model(other)
    shares = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    model.remember([(words, shares, torch.ones(3))])
    assert torch.allclose(model(words).softmax(1), shares, atol=1e-6)
    assert model(other).equal(before)
    assert not torch.allclose(model(torch.tensor([[0, 1]])).softmax(1), shares[2:], atol=1e-3)


def test_the_network_that_ships_knows_many_common_words_by_heart() -> None:
    """A file of marks fits only the hash that it was made by."""
    model: Any = load_model(LANGID)[0]
    words = load_words().train
    assert words.frequency is not None
    common = words.letters[words.frequency.argsort(descending=True)[:2000]]
    for letters, least, most in ((common, 0.3, 1), (common.flip(1), 0, 0.1)):
        slots, marks = model.places(model.with_edges(letters))
        assert least <= (model.known_marks[slots] == marks).float().mean() <= most


def test_of_words_in_one_slot_that_which_gains_most_is_known() -> None:
    torch.manual_seed(0)
    model = NgramBag(letters=6, classes=2, known=1).eval()
    words = torch.tensor([[0, 1], [1, 0], [2, 3]])
    shares = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    gains = torch.tensor([1.0, 3.0, 2.0])
    model.remember([(words, shares, gains), (words[:1], shares[:1], gains[2:])])
    near = (model(words).softmax(1) - shares).abs().amax(1) < 1e-6
    assert near.tolist() == [False, True, False]


def test_the_temperature_undoes_overconfidence() -> None:
    torch.manual_seed(0)
    truth = torch.randn(4000, 4)
    assert best_temperature(truth * 3, truth.softmax(1), None) == pytest.approx(3, rel=0.1)


def test_calibration_by_hand() -> None:
    logits = torch.tensor([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]]).log()
    shares = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    found = calibration(logits, shares, torch.tensor([3.0, 1.0, 4.0]))
    # Confidence 0.8 stands for 3/4 of half the weight, 0.6 for half of the rest.
    assert found["expected_error"] == pytest.approx(0.5 * 0.05 + 0.5 * 0.1)
    assert found["expected_error_unweighted"] == pytest.approx(2 / 3 * 0.3 + 1 / 3 * 0.1)
    assert [row["share"] for row in found["bins"]] == pytest.approx([0.5, 0.75])
    assert [row["share"] for row in found["bins_unweighted"]] == pytest.approx([0.5, 0.5])


def test_results_from_before_have_bins_of_one_kind() -> None:
    found: dict[str, Any] = calibration(torch.zeros(2, 2), torch.full((2, 2), 0.5), None)
    del found["bins_unweighted"]
    TypeAdapter(Calibration).validate_python(found, strict=True)
    del found["bins"]
    with pytest.raises(ValidationError):
        TypeAdapter(Calibration).validate_python(found, strict=True)


@pytest.mark.parametrize(("sure", "kept"), [(0.7, "a"), (0.51, "b")])
def test_a_misread_word_gains_tenfold_by_being_known(
    monkeypatch: pytest.MonkeyPatch, sure: float, kept: str
) -> None:
    """For one slot: "a" is misread, and "b" has 7 or 14 times its divergence, by hand."""
    words = Words(
        *encode(["a", "b"], "ab"),
        torch.tensor([1, 0]),
        torch.tensor([[0.45, 0.55], [0.99, 0.01]]),
        torch.tensor([4.0, 4.0]),
    )
    said = torch.tensor([[0.6, 0.4], [sure, 1 - sure]]).log()
    monkeypatch.setattr(langid, "classify", lambda *_: said)
    model = NgramBag(letters=2, classes=2, known=1).eval()
    config = LangidConfig(network="ngrams", held_out=False)
    langid.finish(model, words, words, config, choose_machine("cpu", "fp32"))
    assert words.shares is not None
    torch.testing.assert_close(model.known[0].exp(), words.shares["ab".index(kept)])

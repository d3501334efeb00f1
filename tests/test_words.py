"""Words: encoding, batches of one length, and files."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dlproj.data import words
from dlproj.data.words import (
    ALPHABET,
    SHIPPED,
    LengthBatches,
    Words,
    encode,
    load_words,
    split_of,
)
from dlproj.errors import DlprojError


def test_encoding() -> None:
    letters, lengths = encode(["abc", "Żółw", "don't", "crème", "ß"], ALPHABET)
    assert lengths.tolist() == [3, 4, 5, 5, 1]
    assert letters[0].tolist() == [0, 1, 2, -1, -1]
    assert [ALPHABET[index] for index in letters[1][:4]] == list("żółw")
    assert letters[2].tolist() == [3, 14, 13, -1, 19]  # the apostrophe keeps its place
    assert [ALPHABET[index] for index in letters[3][:5]] == list("crème")
    assert letters[4][0] == -1


def test_no_words_are_no_rows() -> None:
    letters, lengths = encode([], ALPHABET)
    assert (letters.shape, lengths.tolist()) == ((0, 1), [])


def test_a_strange_accent_is_taken_off() -> None:
    letters, _ = encode(["ñ", "ã"], "abn")
    assert letters[:, 0].tolist() == [2, 0]


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=20))
def test_encoding_agrees_with_letter_by_letter(words: list[str]) -> None:
    letters, lengths = encode(words, ALPHABET)
    assert len(letters) == len(lengths) == len(words)
    for row, length, word in zip(letters, lengths.tolist(), words, strict=True):
        assert length <= 64
        assert (row[length:] == -1).all()
        for index, letter in zip(row[:length].tolist(), word.lower(), strict=False):
            if word.isascii() and letter in ALPHABET:
                assert ALPHABET[index] == letter


def test_what_ships() -> None:
    data = load_words()
    assert data.names == ["English", "Spanish", "Finnish", "Dutch", "Polish"]
    assert torch.bincount(data.train.labels, minlength=5).min() >= 50_000
    assert min(len(data.validation), len(data.test)) > 15_000
    words = [
        {tuple(row.tolist()) for row in split.letters[:, :24]}
        for split in (data.train, data.validation, data.test)
    ]
    assert words[0].isdisjoint(words[1])
    assert words[0].isdisjoint(words[2])
    assert words[1].isdisjoint(words[2])
    assert (data.train.letters.max(1).values >= 0).all()
    assert data.test.frequency is not None
    rows = gzip.decompress((SHIPPED / "test.tsv.gz").read_bytes()).decode().splitlines()
    # Hundredths on the Zipf scale, of powers of ten; 0 stands for a list that lacks the word.
    for row, frequency in zip(rows[:200], data.test.frequency.tolist(), strict=False):
        zipf = [int(cell) for cell in row.split()[2:]]
        expected = sum(10 ** (each / 100) for each in zipf if each)
        assert frequency == pytest.approx(expected, rel=1e-6)


def test_the_rarer_words_that_ship_are_for_training_alone() -> None:
    plain, data = load_words(), load_words(rare=True)
    assert len(data.train) - len(plain.train) > 800_000
    assert data.validation.letters.equal(plain.validation.letters)
    assert data.test.letters.equal(plain.test.letters)
    width = data.train.letters.shape[1]
    spelt = {
        row.tobytes()
        for split in (data.train, data.validation, data.test)
        for row in F.pad(split.letters, (0, width - split.letters.shape[1]), value=-1).numpy()
    }
    assert len(spelt) == sum(map(len, (data.train, data.validation, data.test)))  # none twice
    assert data.train.owned is not None
    assert data.train.frequency is not None
    rare = slice(len(plain.train), None)
    assert not data.train.owned[rare].any()
    assert (data.train.frequency[rare] < 5 * 10**1.7).all()  # five languages at the most


def test_batches_hold_each_word_once_and_one_length_each() -> None:
    data = load_words().test
    batches = LengthBatches(data, batch_size=100, seed=0)
    seen = list(batches.epoch(0))
    assert len(seen) == len(batches)
    assert sum(len(labels) for _, labels in seen) == len(data)
    assert all((letters >= 0).all() for letters, _ in seen)
    assert torch.bincount(torch.cat([labels for _, labels in seen])).equal(
        torch.bincount(data.labels)
    )
    orders = [torch.cat([labels for _, labels in batches.epoch(n)]) for n in (0, 1, 0)]
    assert not orders[0].equal(orders[1])
    assert orders[0].equal(orders[2])


@pytest.mark.parametrize("done", [0, 1, 5])
def test_an_epoch_of_words_goes_on_after_the_batches_that_are_done(done: int) -> None:
    words = Words(
        *encode([f"{'ab' * (n % 7)}{n}" for n in range(300)], ALPHABET), torch.zeros(300).long()
    )
    batches = LengthBatches(words, batch_size=20, seed=4, targets=torch.arange(300))
    whole, rest = list(batches.epoch(3)), list(batches.epoch(3, done))
    assert len(rest) == len(batches) - done
    for (letters, rows), (later, others) in zip(whole[done:], rest, strict=True):
        assert torch.equal(rows, others)
        assert torch.equal(letters, later)
        assert torch.equal(letters, words.letters[rows, : letters.shape[1]])
        assert (words.lengths[rows] == letters.shape[1]).all()
        assert len(rows) <= 20


def test_a_hash_draws_ninety_five_and_five_of_a_hundred_words() -> None:
    """Of the 256 values of a byte the first 231 are below 90 %, and the next 13 below 95 %."""
    splits = ["train"] * 231 + ["validation"] * 13 + ["test"] * 12
    seen = set()
    for number in range(3000):
        byte = hashlib.sha256(f"żółw{number}".encode()).digest()[0]
        assert split_of(f"żółw{number}") == splits[byte]
        seen.add(byte)
    assert seen == set(range(256))


def test_the_courses_file(course: Path) -> None:
    data = load_words(course / "lang_id.npz")
    assert data.alphabet == ALPHABET
    assert [len(split) for split in (data.train, data.validation, data.test)] == [17_500, 500, 500]


def npz(**changes: Any) -> bytes:
    arrays: dict[str, Any] = {"chars": np.array(list("ab")), "language_names": np.array(["A", "B"])}
    for split in ("train", "dev", "test"):
        arrays[f"{split}_x"] = np.array([[0, 1, -1], [1, -1, -1]])
        arrays[f"{split}_y"] = np.array([0, 1])
    buffer = io.BytesIO()
    np.savez(buffer, **{**arrays, **changes})
    return buffer.getvalue()


BAD_NPZ = {
    "text": (b"not a zip", "npz"),
    "lacking": (npz()[:-30], "npz"),
    "gap": (npz(train_x=np.array([[0, -1, 1], [1, -1, -1]])), "then -1"),
    "empty word": (npz(dev_x=np.array([[-1, -1], [1, -1]])), "then -1"),
    "letter": (npz(test_x=np.array([[2, -1], [1, -1]])), "beyond"),
    "label": (npz(test_y=np.array([0, 2])), "beyond"),
    "floats": (npz(train_y=np.array([0.5, 1])), "integers"),
    "shape": (npz(train_y=np.array([0])), "must be"),
    "pickle": (npz(train_x=np.array([[{}], [None]], dtype=object)), "allow_pickle"),
}


@pytest.mark.parametrize("name", BAD_NPZ)
def test_refuses_an_npz_that_is_not_such_data(name: str, tmp_path: Path) -> None:
    content, message = BAD_NPZ[name]
    path = tmp_path / "words.npz"
    path.write_bytes(content)
    with pytest.raises(DlprojError, match=message):
        load_words(path)


def test_the_ending_of_a_file_may_be_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "WORDS.NPZ").write_bytes(npz())
    assert load_words(tmp_path / "WORDS.NPZ").names == ["A", "B"]
    (tmp_path / "WORDS.CSV").write_text(
        "word,ru,en\n" + "".join(f"word{number},0.1,9\n" for number in range(200))
    )
    data = load_words(tmp_path / "WORDS.CSV")
    assert data.names == ["ru", "en"]
    assert data.train.shares is not None


@pytest.mark.parametrize("more", [0, 1])
def test_an_npz_unpacks_to_two_hundred_million_bytes_at_most(more: int, tmp_path: Path) -> None:
    """As it says of its members, of which one is never read."""
    content, path = bytearray(npz(never_read=np.zeros(1))), tmp_path / "words.npz"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
    own = sizes.pop("never_read.npy")
    # In the directory at the end, the size is 22 bytes before the name.
    place = content.rindex(b"never_read.npy") - 22
    assert int.from_bytes(content[place : place + 4], "little") == own
    promised = 200_000_000 - sum(sizes.values()) + more
    content[place : place + 4] = promised.to_bytes(4, "little")
    path.write_bytes(content)
    if more:
        with pytest.raises(DlprojError, match="unpacks to more than 200000000 bytes"):
            load_words(path)
    else:
        assert load_words(path).names == ["A", "B"]


def test_a_table_of_words_is_read_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "words.csv"
    text = "".join(f"word{number},{'ab'[number % 2]}\n" for number in range(300))
    path.write_text(text)
    monkeypatch.setattr(words, "MAX_BYTES", len(text))
    assert load_words(path).names == ["a", "b"]
    monkeypatch.setattr(words, "MAX_BYTES", len(text) - 1)
    with pytest.raises(DlprojError, match=f"larger than {len(text) - 1:,} bytes"):
        load_words(path)


def test_any_languages_and_letters_from_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("\n".join(f"żółw{n},pl\nword{n},en" for n in range(200)), encoding="utf-8")
    data = load_words(path)
    assert data.names == ["en", "pl"]
    assert set("żółword") <= set(data.alphabet)
    assert 340 < len(data.train) < 380
    assert len(data.train) + len(data.validation) + len(data.test) == 400


@pytest.mark.parametrize(("count", "said"), [(40, True), (400, False)])
def test_few_test_words_are_remarked(count: int, said: bool, tmp_path: Path) -> None:
    plain, shares = tmp_path / "words.csv", tmp_path / "shares.csv"
    plain.write_text("".join(f"{'ab'[n % 2]}{n:05b},{n % 2}\n" for n in range(count)))
    rows = [f"{'ab'[n % 2]}{n:05b},{1 + n % 2 * 500},{1 + (n + 1) % 2 * 500}" for n in range(count)]
    shares.write_text("\n".join(["word,de,fr", *rows]))
    for path in (plain, shares):
        remarks = load_words(path).notes.remarks
        assert any("an accuracy of so few says little" in remark for remark in remarks) == said


BAD_CSV = {
    "three columns": (b"a,b,c\n", "line 1: must be word,label"),
    "blank word": (b"a,b\n ,b\n", "line 2"),
    "few": (b"a,b\n", "too few words"),
    "one language": (b"\n".join(b"w%d,b" % n for n in range(200)), "two languages"),
    "latin-1": ("ä,b".encode("latin-1"), "line 1 is not UTF-8 text"),
    "long": (b"a" * 200_000 + b",b", "field larger"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_refuses_a_csv_that_is_not_such_data(name: str, tmp_path: Path) -> None:
    content, message = BAD_CSV[name]
    path = tmp_path / "words.csv"
    path.write_bytes(content)
    with pytest.raises(DlprojError, match=message):
        load_words(path)


def test_no_words_are_encoded_as_none() -> None:
    letters, lengths = words.encode([], words.ALPHABET)
    assert (letters.shape, lengths.shape) == ((0, 1), (0,))

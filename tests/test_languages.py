"""`predict-langid` on odd letters, unknown words and phrases."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from dlproj import predict_langid
from dlproj.data.digits import load_digits
from dlproj.data.words import ALPHABET, encode
from dlproj.errors import DlprojError, UsageError
from dlproj.tools.languages import words_of
from tests.conftest import Dlproj

UNKNOWN = ["привет", "你好", "123", "🙂", "ß", "---"]


def test_a_word_without_a_known_letter_is_unknown(dlproj: Dlproj) -> None:
    done = dlproj("predict-langid", "--", *UNKNOWN)
    assert done.out == "".join(f"{word}\tunknown\t0.0000\n" for word in UNKNOWN)
    for shown in dlproj("predict-langid", "--json", "--", *UNKNOWN).json["predictions"]:
        assert (shown["label"], shown["confidence"]) == ("unknown", 0)
        assert set(shown["probabilities"].values()) == {0}
    for found in predict_langid(UNKNOWN):
        assert (found.label, found.confidence) == ("unknown", 0)


@pytest.mark.parametrize(
    ("word", "same_as"),
    [
        ("THROUGH", "through"),  # capitals
        ("MAÑANA", "mañana"),
        ("İstanbul", "istanbul"),  # in lower case an i and a dot of its own
        ("man\u0303ana", "mañana"),  # marks that combine
        ("x\u0302yz", "xyz"),  # which no letter is composed of
        ("\ufeffhello", "hello"),  # a byte order mark, as between files that were joined
        ("he\u200bllo\u200e", "hello"),  # of no width
        ("win\u00addow", "window"),  # a soft hyphen
        ("crêpe", "crêpe"),
        ("São", "sao"),  # an accent that the alphabet lacks
    ],
)
def test_letters_that_are_taken_for_others(word: str, same_as: str) -> None:
    (letters, lengths), (others, lengths_too) = (
        encode([each], ALPHABET) for each in (word, same_as)
    )
    assert lengths.equal(lengths_too)
    assert letters.equal(others)
    assert (letters >= 0).all()


@pytest.mark.parametrize(
    "word",
    ["don't", "don\u2019t", "twenty-one", "straße", "世界hello", "\u043d\u0430hello", "c3po"],
)
def test_letters_that_keep_their_place_and_say_nothing(word: str) -> None:
    letters, lengths = encode([word], ALPHABET)
    assert lengths.tolist() == [len(word)]
    assert [index >= 0 for index in letters[0].tolist()] == [each in ALPHABET for each in word]


@pytest.mark.parametrize("word", ["hello!", "hello世界", "hello--", "hello1"])
def test_unknown_letters_at_the_end_are_left_out(word: str) -> None:
    letters, lengths = encode([word, "a"], ALPHABET)
    assert lengths.tolist() == [5, 1]
    assert letters[0].equal(encode(["hello"], ALPHABET)[0][0])
    read, plain = predict_langid([word, "hello"])
    assert read.probabilities == pytest.approx(plain.probabilities)


def test_a_mark_alone_is_unknown() -> None:
    assert predict_langid(["\u0301"])[0].label == "unknown"


def test_the_likeliest_languages_are_listed(dlproj: Dlproj) -> None:
    _, *cells = dlproj("predict-langid", "hotel", "--top", 3).out.rstrip("\n").split("\t")
    found = predict_langid(["hotel"])[0]
    ranked = sorted(found.probabilities.items(), key=lambda item: -item[1])[:3]
    assert cells == [cell for name, share in ranked for cell in (name, f"{share:.4f}")]
    shown = dlproj("predict-langid", "hotel", "--top", 9, "--json").json["predictions"][0]
    assert len(shown["top"]) == 5
    assert shown["top"][0] == {"label": found.label, "probability": shown["confidence"]}
    assert dlproj("predict-langid", "123", "--top", 2).out == "123\tunknown\t0.0000\n"
    assert dlproj("predict-langid", "hotel", "--top", 0).code == 2


def test_a_line_with_spaces_is_a_phrase(dlproj: Dlproj, tmp_path: Path) -> None:
    lines = ["dzień dobry panu", "het is een mooie dag", "through"]
    (tmp_path / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    shown = dlproj("predict-langid", "--file", "lines.txt", "--json").json["predictions"]
    assert [each["label"] for each in shown] == ["Polish", "Dutch", "English"]
    assert "words" not in shown[2]
    for each, line in zip(shown[:2], lines, strict=False):
        assert [one["word"] for one in each["words"]] == line.split()
        assert sum(one["share"] for one in each["words"]) == pytest.approx(1)
        assert sum(each["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["word,label", "casa,es", "huis,nl"], True),
        (["casa\tes", "huis\tnl", "", "talo\tfi"], True),
        (["casa;12", "huis;3", "talo;1,5"], True),
        (["casa,es", "huis,nl"], False),  # too few to tell
        (["casa", "huis", "talo"], False),
        (["la casa, mi padre", "het huis, nu", "talo, kissa"], False),
        (["casa,", "huis,", "talo,"], False),
        (["casa,es", "huis", "talo,fi"], False),
    ],
)
def test_rows_of_a_table_are_remarked(
    lines: list[str], said: bool, dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("words.txt").write_text("\n".join(lines), encoding="utf-8")
    done = dlproj("predict-langid", "--file", "words.txt")
    assert done.code == 0
    assert ("words.txt looks like a table; each row is read as one word" in done.err) == said
    given = io.BytesIO("\n".join(lines).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(given))
    piped = dlproj("predict-langid", "-")
    assert ("standard input looks like a table" in piped.err) == said
    assert piped.out == done.out
    assert done.out.count("\n") == sum(map(bool, lines))


def test_words_are_one_phrase_with_text(dlproj: Dlproj) -> None:
    done = dlproj("predict-langid", "--text", "la", "casa", "de", "mi", "padre,", "123")
    name, label, confidence, shares = done.out.rstrip("\n").split("\t")
    assert (name, label) == ("la casa de mi padre, 123", "Spanish")
    assert float(confidence) > 0.99
    assert shares.split()[::2] == ["la", "casa", "de", "mi", "padre"]
    assert dlproj("predict-langid", "--text", "through").out.count("\t") == 3


def test_a_phrase_is_the_sum_of_its_words() -> None:
    words = ["radio", "museo", "hotel"]
    alone, phrase = predict_langid(words), predict_langid([" ".join(words)])[0]
    said = [
        torch.tensor([*one.probabilities.values()], dtype=torch.float64) * 0.98 + 0.02 / 5
        for one in alone
    ]
    expected = torch.stack(said).log().sum(0).softmax(0)
    assert [*phrase.probabilities.values()] == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),  # vowel signs, which are marks to Unicode
        ("สวัสดี ครับ", ["สวัสดี", "ครับ"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("\ufeffla ca\u00adsa", ["la", "ca\u00adsa"]),
        ("don\u2019t stop-over", ["don\u2019t", "stop-over"]),
        ("snake_case -x- 12ab_", ["snake", "case", "x", "ab"]),
        ("\u0301 \u200d _", []),
    ],
)
def test_a_phrase_is_parted_between_words_in_any_script(phrase: str, words: list[str]) -> None:
    assert words_of(phrase) == words


def test_marks_of_a_lists_own_alphabet_are_read() -> None:
    alphabet = "कि्"  # a letter, a vowel sign, and the virama
    (both, one), _ = encode(["कि", "क्"], alphabet)
    assert both.tolist() == [0, 1]
    assert one.tolist() == [0, 2]


def test_a_phrase_without_a_known_letter_is_unknown() -> None:
    for phrase in predict_langid(["12 34", "привет мир", "привет мир 你好"]):
        assert (phrase.label, phrase.confidence) == ("unknown", 0)


HEAVY = {
    "torch._dynamo",
    "torch._inductor",
    "torch._decomp",
    "torch.onnx",
    "torch.testing",
    "torch.distributed",
    "sympy",
    "scipy",
    "matplotlib",
    "torchvision",
    "jinja2",
    "wordfreq",
}


@pytest.mark.parametrize(
    "command",
    [
        ["predict-langid", "through"],
        ["predict-langid", "it is a phrase"],
        ["predict-digit", "seven.png", "--no-plots"],
        ["attack", "--limit", "20", "--epsilon", "0.1", "--no-plots"],
    ],
    ids=" ".join,
)
def test_a_command_imports_no_compiler(command: list[str]) -> None:
    """Beyond what `import torch` imports by itself."""
    Image.fromarray(load_digits().test.pictures[0].numpy()).save("seven.png")
    code = (
        "import sys, torch; before = set(sys.modules)\n"
        f"sys.argv[1:] = {command!r}\n"
        "from dlproj.__main__ import main\n"
        "try: main()\n"
        "finally: print('\\n', *sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "dlproj.models.files" in loaded
    needed = {"scipy"} if command[0] == "predict-digit" else set()  # which finds the digits
    assert not loaded & (HEAVY - needed)


def test_a_list_of_other_languages(dlproj: Dlproj, tmp_path: Path) -> None:
    pytest.importorskip("wordfreq", reason="the extra `words` is not installed")
    asked = ("build-words", "--languages", "fi,nb", "--words", 400, "--out", "words.csv")
    done = dlproj(*asked, "--json")
    assert done.code == 0, done.err
    text = (tmp_path / "words.csv").read_text(encoding="utf-8")
    assert text.startswith("word,fi,nb\n")
    assert done.json["words"] == text.count("\n") - 1
    assert {"ja", "ei", "og"} <= {line.split(",")[0] for line in text.splitlines()}
    trained = dlproj(
        "train-langid",
        "--data",
        "words.csv",
        "--recipe",
        "best",
        "--epochs",
        2,
        "--batch-size",
        128,
        "--no-plots",
        "--out",
        "run",
    )
    assert trained.code == 0, trained.err
    found = dlproj("predict-langid", "og", "ja", "--model", "run", "--json").json["predictions"]
    assert found[0]["label"] == "nb"
    assert found[1]["label"] == "fi"  # where it means and; yes, in the other
    assert 0.005 < found[1]["probabilities"]["nb"] < 0.2
    assert "exists already" in dlproj(*asked).err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--languages", "fi", "--out", "w.csv"), "two or more"),
        (("--languages", "fi,fi", "--out", "w.csv"), "each once"),
        (("--languages", "fi,nb", "--out", "w.txt"), "must end in .csv"),
        (("--languages", "fi,xx", "--out", "w.csv"), "must be among"),
    ],
)
def test_refuses_a_list_that_cannot_be_made(
    flags: tuple[str, ...], message: str, dlproj: Dlproj
) -> None:
    pytest.importorskip("wordfreq", reason="the extra `words` is not installed")
    done = dlproj("build-words", *flags)
    assert done.code == 2
    assert message in done.err


def test_blank_words_are_refused() -> None:
    with pytest.raises(UsageError, match="word 1"):
        predict_langid(["a", " "])
    assert issubclass(UsageError, DlprojError)

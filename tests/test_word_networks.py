"""The networks of words: what they read of each word, and which n-grams they look up."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from dlproj.models.files import load_model
from dlproj.models.langid import CharGRU
from dlproj.models.ngrams import NgramBag, highest_bits, mix
from dlproj.store.weights import pack


def test_gru_takes_the_last_state_of_each_direction() -> None:
    torch.manual_seed(0)
    model = CharGRU(hidden=8, bidirectional=True).eval()
    word = torch.tensor([[3, 1, 4, 1, 5]])
    one_hot = F.one_hot(word.T, 47).float()
    outputs, _ = model.recurrent(one_hot)
    last = torch.cat([outputs[-1, :, :8], outputs[0, :, 8:]], dim=1)
    torch.testing.assert_close(model(word), model.output(last))


WORDS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, -1, -1, -1], [-1, 6, 5, -1, -1]])
LENGTHS = (5, 2, 3)


@pytest.mark.parametrize("cell", ["gru", "rnn", "lstm"])
@pytest.mark.parametrize("embedding", [0, 6])
@pytest.mark.parametrize("readout", ["last", "mean", "max"])
def test_a_variation_reads_each_word_as_its_own_torch_layer_does(
    cell: str, embedding: int, readout: str
) -> None:
    torch.manual_seed(0)
    model = CharGRU(hidden=8, cell=cell, embedding=embedding, readout=readout).eval()
    layer = {"gru": torch.nn.GRU, "rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}[cell](
        embedding or 47, 8
    )
    layer.load_state_dict(model.recurrent.state_dict())
    table = (
        model.embedding.weight
        if model.embedding
        else torch.cat([torch.zeros(1, 47), torch.eye(47)])
    )
    for word, length in zip(WORDS, LENGTHS, strict=True):
        states, _ = layer(table[word[:length] + 1][:, None])
        over = {"last": states[-1], "mean": states.mean(0), "max": states.amax(0)}[readout]
        torch.testing.assert_close(model(word[None, :length]), model.output(over))
    padded = model(WORDS)
    alone = [model(word[None, :length]) for word, length in zip(WORDS, LENGTHS, strict=True)]
    torch.testing.assert_close(padded, torch.cat(alone))


def test_the_reports_network_is_written_as_before() -> None:
    named = CharGRU(cell="gru", embedding=0, readout="last")
    assert {*named.arguments} == {
        "letters",
        "classes",
        "hidden",
        "layers",
        "bidirectional",
        "dropout",
    }
    assert {name.partition(".")[0] for name in named.state_dict()} == {"gru", "output"}


def test_an_unknown_letter_is_all_zeros() -> None:
    torch.manual_seed(0)
    model = CharGRU(hidden=8).eval()
    _, state = model.recurrent(torch.zeros(1, 1, 47))
    torch.testing.assert_close(model(torch.tensor([[-1]])), model.output(state[-1]))
    assert not CharGRU(embedding=3).get_parameter("embedding.weight")[0].any()


def grams_by_hand(word: list[int], longest: int, buckets: int, letters: int) -> list[int]:
    """The buckets of a word's n-grams, with Python's unbounded integers."""
    edged = [letters + 1, *(letter + 1 for letter in word), letters + 2]
    found = []
    for n in range(1, longest + 1):
        for start in range(len(edged) - n + 1):
            code = 0
            for letter in edged[start : start + n]:
                code = code * (letters + 3) + letter
            product = (code * 8 + n - 1) * 0x9E3779B97F4A7C15 % 2**64
            found.append(product * buckets // 2**64)
    return found


def test_ngrams_are_hashed_as_by_hand() -> None:
    model = NgramBag(longest=5, buckets=2**10)
    words = torch.tensor([[3, 4, -1, 46], [0, 0, 0, 0]])
    grams = highest_bits(mix(model.spell(words)), 2**10)
    for row, word in zip(grams.tolist(), words.tolist(), strict=True):
        assert row == grams_by_hand(word, 5, 2**10, 47)


def test_short_words_have_fewer_ngrams() -> None:
    assert NgramBag(longest=8).eval()(torch.tensor([[5]])).shape == (1, 5)


def test_equal_ngrams_share_a_bucket_wherever_they_stand() -> None:
    model = NgramBag(longest=2)
    words = torch.tensor([[1, 2, 3, 1, 2]])
    pairs = highest_bits(mix(model.spell(words)), 2**17).tolist()[0][8:12]  # 12 23 31 12
    assert pairs[0] == pairs[3]
    assert len(set(pairs)) == 3


def test_ngrams_apart_are_summed_as_by_hand() -> None:
    """Those within a word, the first and the last of each length; one that is both is the first."""
    torch.manual_seed(0)
    model = NgramBag(longest=5, buckets=2**10, apart=True).eval()
    word = torch.tensor([[3, 4]])  # with its edges four letters
    v = model.table[grams_by_hand(word[0].tolist(), 5, 2**10, 47)]
    none = torch.zeros(16)
    one, two = [v[1] + v[2], v[0], v[3]], [v[5], v[4], v[6]]
    three, four, five = [none, v[7], v[8]], [none, v[9], none], [none, none, none]
    sums = torch.cat([*one, *two, *three, *four, *five])
    found = model.learnt(mix(model.spell(word)), model.bags(word))
    torch.testing.assert_close(found, model.classify(sums.unsqueeze(0)))


def test_a_file_from_before_has_one_sum(tmp_path: Path) -> None:
    """Its arguments do not say whether n-grams are summed apart."""
    torch.manual_seed(0)
    model = NgramBag(letters=3, classes=2, buckets=16, slots=16).eval()
    arguments = {name: value for name, value in model.arguments.items() if name != "apart"}
    path = tmp_path / "model.safetensors"
    path.write_bytes(pack(model.state_dict(), {"network": "NgramBag", "arguments": arguments}))
    words = torch.tensor([[0, 1, 2], [2, -1, -1]])
    assert torch.equal(load_model(path)[0](words), model(words))

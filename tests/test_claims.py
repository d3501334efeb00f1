"""The rows of the report's sentences: their rules, and the runs that they look at."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.resolve import resolve, to_dict
from dlproj.data.words import Words
from dlproj.diagnosis import judge, layers, letters, likeness
from dlproj.models.langid import CharGRU
from dlproj.reports.claims import claims
from dlproj.reports.claims.sentences import SENTENCES
from dlproj.reports.finished import Finished
from dlproj.statistics import compare

ROOT = Path(__file__).parents[1]
WORDS = Path("lang_id.npz")


def run(command: str, metrics: dict[str, Any], timing: float = 1.0, **flags: Any) -> Finished:
    """A run as if it had been read back."""
    config = resolve(SETTINGS[command], {"recipe": "report", **flags})
    settings = json.loads(json.dumps(to_dict(config)))
    result = {"command": command, "config": settings, "metrics": metrics}
    return Finished(Path("runs/none"), result | {"timing": {"train_seconds": timing}}, [])


def words(values: list[float], **flags: Any) -> Finished:
    found = {"test_accuracy": {"values": values}}
    return run("train-langid", found, data=WORDS, seeds=len(values), **flags)


def attack(rows: list[dict[str, Any]], network: str = "DigitCNN") -> Finished:
    """A run of `attack`, which has no recipe."""
    config = json.loads(json.dumps(to_dict(resolve(SETTINGS["attack"], {}))))
    metrics = {"model": "m", "network": network, "attacks": rows}
    result = {"command": "attack", "config": config, "metrics": metrics, "timing": {}}
    return Finished(Path("runs/none"), result, [])


def sweep(command: str, scores: dict[Any, list[float]], names: tuple[str, ...]) -> Finished:
    cells = [
        {
            "settings": dict(zip(names, values, strict=True)),
            "seeds": [*range(len(score))],
            "score": {"values": score},
        }
        for values, score in scores.items()
    ]
    grid = {"recipe": ["report"]} | {name: [0] for name in names}
    result = {"command": "sweep", "config": {"grid": grid, "seed": 0}, "timing": {}}
    metrics = {"experiment": command, "cells": cells}
    return Finished(Path("runs/none"), result | {"metrics": metrics}, [])


def verdict(runs: list[Finished], claim: str) -> str:
    (found,) = [row for row in claims(runs) if claim in row.claim]
    return found.verdict


def test_every_sentence_has_a_row_a_place_and_a_command() -> None:
    rows = claims([])
    assert len(rows) == sum(len(sentence.measures) for sentence in SENTENCES)
    assert {row.verdict for row in rows} == {"not measured"}
    assert all(row.command.split()[0] in {*SETTINGS, "sweep"} for row in rows)
    places = [sentence.place for sentence in SENTENCES for _ in sentence.measures]
    assert [row.source.partition(": “")[0] for row in rows] == places
    assert len({(row.claim, row.source) for row in rows}) == len(rows)


def test_the_documentation_lists_every_sentence() -> None:
    page = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    for sentence in SENTENCES:
        assert sentence.words.removesuffix(".") in page.replace("\n", " "), sentence.words


BASE = [0.87, 0.88, 0.875, 0.882]


def moved(by: float) -> list[float]:
    return [
        value + by + shake for value, shake in zip(BASE, (0.001, -0.001, 0, 0.0005), strict=True)
    ]


@pytest.mark.parametrize(
    ("flags", "claim", "by", "expected"),
    [
        ({"embedding": 16}, "an embedding is not needed", 0.001, "supported"),
        ({"embedding": 16}, "an embedding is not needed", 0.03, "not supported"),
        ({"cell": "rnn"}, "a GRU does better", -0.05, "supported"),
        ({"cell": "rnn"}, "a GRU does better", 0.0, "not supported"),
    ],
)
def test_an_arm_is_compared_with_the_reports_network(
    flags: dict[str, Any], claim: str, by: float, expected: str
) -> None:
    runs = [words(BASE), words(moved(by), **flags)]
    assert verdict(runs, claim) == expected
    assert verdict(runs[:1], claim) == "not measured"
    assert verdict([words(BASE[:2]), words(moved(by)[:2], **flags)], claim) == "too few seeds"


def test_the_last_state_has_to_beat_both_other_readouts() -> None:
    claim = "the last state is the one to read"
    worse, same = words(moved(-0.05), readout="mean"), words(moved(0), readout="max")
    assert verdict([words(BASE), worse], claim) == "not measured"
    assert verdict([words(BASE), worse, same], claim) == "not supported"
    assert verdict([words(BASE), worse, words(moved(-0.04), readout="max")], claim) == "supported"


def test_what_cannot_be_decided_says_how_many_seeds_would() -> None:
    wild = [0.87, 0.90, 0.86, 0.91]
    rows = claims([words(BASE), words(wild, cell="rnn")])
    (row,) = [row for row in rows if "a GRU does better" in row.claim]
    assert row.verdict == "undecided"
    assert "seeds would decide it" in row.reason
    assert "effect size" in row.reason


def test_settings_are_good_where_no_other_cell_is_better() -> None:
    names, claim = ("lr", "momentum"), "a rate of 0.02"
    own = [0.98, 0.981, 0.982]
    near, far = [0.9805, 0.981, 0.9822], [0.97, 0.96, 0.965]
    good = {(0.02, 0.92): own, (0.08, 0.92): near, (0.08, 0.98): far}
    assert verdict([sweep("train-digits", good, names)], claim) == "supported"
    other = sweep("train-digits", good, names)
    other.result["config"]["grid"]["epochs"] = [2]
    assert verdict([other], claim) == "not measured"
    better = [value + 0.01 for value in own[:2]] + [0.9925]
    bad = good | {(0.005, 0.92): better}
    assert verdict([sweep("train-digits", bad, names)], claim) == "not supported"
    losses = {(0.05,): [1e-3, 2e-3, 1.5e-3], (0.01,): [1e-4, 2.2e-4, 1.4e-4]}
    assert verdict([sweep("train-regression", losses, ("lr",))], "Adam") == "not supported"


def test_a_loss_is_far_below_where_nearly_every_run_is() -> None:
    def curve(losses: list[float]) -> list[Finished]:
        found = {"test_loss": {"values": losses}}
        return [run("train-regression", found, seeds=len(losses))]

    claim = "far below 0.02"
    assert verdict(curve([1e-5, 2e-5, 1.5e-5, 1e-5]), claim) == "supported"
    assert verdict(curve([1e-3, 2e-4, 3e-3, 1e-3]), claim) == "mixed"
    assert verdict(curve([1e-2, 2e-2, 3e-2, 1e-2]), claim) == "not supported"
    assert verdict(curve([1e-5, 2e-5]), claim) == "too few seeds"


def test_attacks_tell_of_gradients_and_of_robustness() -> None:
    row = {"norm": "linf", "targeted": False, "epsilon": 0.3, "max_perturbation": 0.3}
    row |= {"success_rate": 0.9, "method": "fgsm", "accuracy": 0.1}
    assert verdict([attack([row])], "evaluation mode") == "not supported"
    assert verdict([attack([row])], "moves by at most") == "supported"
    far = attack([row | {"max_perturbation": 0.31}])
    assert verdict([far], "moves by at most") == "not supported"
    usual = attack([row | {"method": "pgd"}])
    robust = attack([row | {"method": "pgd", "accuracy": 0.9}], "RobustCNN")
    assert verdict([usual], "made robust") == "not measured"
    assert verdict([usual, robust], "made robust") == "supported"


def test_a_test_turns_into_a_verdict_and_says_what_it_saw() -> None:
    (test,) = compare([([3.0, 4.1, 5.0], [1.0, 2.0, 3.0])])
    found = judge.judge_test("c", test, matters=1, evidence="e")
    assert found["verdict"] == "supported"
    assert "3 seeds" in found["evidence"]
    harmless = judge.judge_test("c", test, matters=1, evidence="e", harmless=True)
    assert harmless["verdict"] == "not supported"
    assert "would decide" in judge.judge_test("c", test, matters=2.1, evidence="e")["evidence"] or (
        judge.judge_test("c", test, matters=2.1, evidence="e")["verdict"] != "undecided"
    )


def test_similarity_is_1_of_equal_images_and_as_the_paper_has_it() -> None:
    torch.manual_seed(0)
    one, other = torch.rand(2, 1, 11, 11, dtype=torch.float64), torch.rand(2, 1, 11, 11).double()
    torch.testing.assert_close(likeness.similarity(one, one), torch.ones(2).double())
    places = torch.arange(11).double() - 5
    line = torch.exp(-(places**2) / (2 * 1.5**2))
    weights = line[:, None] * line / line.sum() ** 2  # one window: a single place
    for index, found in enumerate(likeness.similarity(one, other)):
        x, y = one[index, 0], other[index, 0]
        mx, my = (weights * x).sum(), (weights * y).sum()
        vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
        cov = (weights * (x - mx) * (y - my)).sum()
        expected = (2 * mx * my + 1e-4) * (2 * cov + 9e-4)
        expected /= (mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)
        assert found == pytest.approx(float(expected))


def test_three_neighbours_vote() -> None:
    known = torch.tensor([0.0, 0.2, 0.3, 0.9, 1.0])[:, None, None, None]
    labels = torch.tensor([1, 2, 2, 3, 4])
    asked = torch.tensor([0.05, 0.95])[:, None, None, None]
    assert likeness.nearest_vote(asked, known, labels).tolist()[0] == 2
    lone = likeness.nearest_vote(torch.tensor([[[[0.94]]]]), known, labels)
    assert lone.tolist() == [3]  # three labels: the nearest


def test_edges_are_slopes() -> None:
    slope = torch.tensor([[-1.0, 0, 1]] * 3)
    bar = torch.tensor([[1.0, -2, 1]] * 3)
    for filters, share in ((slope, 1), (slope.T, 1), (bar, 0), (slope + 7, 1)):
        assert layers.edge_share(filters[None, None]) == pytest.approx(share, abs=1e-6)
    torch.manual_seed(0)
    assert layers.edge_share(torch.randn(5000, 1, 3, 3)) == pytest.approx(0.25, abs=0.01)


def test_doubt_is_that_of_most_others() -> None:
    wrong = torch.tensor([[1, 1, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 0]], dtype=torch.bool)
    found = layers.doubted(wrong)
    assert found["misread"] == pytest.approx([3 / 5, 2 / 5, 1 / 5])
    assert found["too"] == pytest.approx([1 / 3, 1 / 2, 1])  # half of the others is not most
    assert found["else"] == pytest.approx([0, 0, 1 / 4])


@pytest.fixture
def reader() -> tuple[CharGRU, Words]:
    torch.manual_seed(0)
    model = CharGRU(letters=9, classes=3, hidden=4).eval()
    lengths = torch.tensor([10, 12, 3, 12])
    table = torch.randint(0, 9, (4, 12))
    table[torch.arange(12) >= lengths[:, None]] = -1
    return model, Words(table, lengths, torch.tensor([0, 1, 2, 1]))


def test_a_gru_by_hand_is_torchs_own(reader: tuple[CharGRU, Words]) -> None:
    model, data = reader
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(4)  # so that words differ
        many = torch.randint(0, 9, (300, 7))
        named = model(many).argmax(1)
    assert len(named.unique()) == 3
    read = Words(many, torch.full((300,), 7), named)
    assert letters.accuracy_with_gate_held(model, read, None) == 1
    assert letters.accuracy_with_gate_held(model, read, "update") < 1
    means = letters.gate_means(model, data)
    assert {name: gate.shape for name, gate in means.items()} == {"reset": (4,), "update": (4,)}
    layer: Any = model.gru
    with torch.no_grad():
        for weights in layer.parameters():
            weights.zero_()
        layer.bias_ih_l0[4:8] = 50.0  # an update gate that is shut: the state stays
    assert letters.gate_means(model, data)["update"].tolist() == pytest.approx([1] * 4)
    assert letters.gate_means(model, data)["reset"].tolist() == pytest.approx([0.5] * 4)


def test_the_gradient_goes_back_as_finite_differences_do(reader: tuple[CharGRU, Words]) -> None:
    model, data = reader
    model = model.double()
    word = Words(data.letters[:1, :10], data.lengths[:1], data.labels[:1])
    found = letters.gradient_by_distance(model, word)
    vectors = model.vectors(word.letters).double()
    step = 1e-6
    for back in (0, letters.FAR):
        slopes = []
        for unit in range(9):
            losses = []
            for sign in (1, -1):
                shifted = vectors.clone()
                shifted[9 - back, 0, unit] += sign * step
                logits = model.read(shifted, word.letters)
                losses.append(torch.nn.functional.cross_entropy(logits, word.labels).item())
            slopes.append((losses[0] - losses[1]) / (2 * step))
        assert found[back] == pytest.approx(math.hypot(*slopes), rel=1e-4)


def test_letters_are_shuffled_within_their_word(reader: tuple[CharGRU, Words]) -> None:
    _, data = reader
    mixed = letters.shuffled(data, seed=1)
    assert not torch.equal(mixed.letters, data.letters)
    for row, other, length in zip(mixed.letters, data.letters, data.lengths, strict=True):
        assert sorted(row[:length].tolist()) == sorted(other[:length].tolist())
        assert torch.equal(row[length:], other[length:])


def inside(count: int, verdict: str, *, told: bool = True) -> Finished:
    """A run of the laboratory of BatchNorm; older ones did not say of how many seeds."""
    judged = {"claim": "BatchNorm prevents vanishing gradients", "verdict": verdict}
    study = {"claims": [judged | {"evidence": f"{count} seeds"}]}
    found = study | {"seeds": count} if told else study
    return run("ablate-batchnorm", {"cells": [], "diagnosis": found})


def test_a_laboratory_is_quoted_where_it_had_the_most_seeds() -> None:
    claim = "vanishing gradients"
    old = inside(1, "supported", told=False)
    assert verdict([old], "BatchNorm prevents") == "too few seeds"
    assert verdict([old, inside(5, "mixed"), inside(3, "supported")], "BatchNorm prev") == "mixed"
    rows = [row for row in claims([inside(2, "mixed")]) if claim in row.claim]
    assert rows[0].reason == "3 seeds are needed"


def looked_into(model: str, similarity: float, **changed: Any) -> Finished:
    """A run of the laboratory of attacks, as far as one claim needs it."""
    diagnosis = {
        "epsilon": changed.pop("epsilon", 0.2),
        "likeness": {
            "similarity": similarity,
            "neighbours_clean": 1.0,
            "neighbours": 0.95,
            "others_clean": 1.0,
            "others": 0.5,
        },
    }
    made = attack([], changed.pop("network", "DigitCNN"))
    made.result["metrics"] |= {"model": model, "diagnosis": diagnosis}
    made.result["metrics"] |= {"data": changed.pop("data", "mnist")}
    made.result["config"] |= changed
    return made


def test_what_attacks_show_is_asked_of_every_network() -> None:
    networks = [looked_into(name, 0.6 + 0.01 * len(name)) for name in ("a", "bb", "ccc")]
    assert verdict(networks, "look very much like") == "not supported"
    assert verdict(networks[:2], "look very much like") == "too few seeds"
    assert verdict([*networks[:2], looked_into("bb", 0.6)], "look very much") == "too few seeds"
    (row,) = [row for row in claims(networks) if "look very much like" in row.claim]
    assert re.search(r"0\.62 \(95 % interval 0\.60 to 0\.64\).*3 networks", row.measured)
    assert verdict([*networks, looked_into("d", 0.95)], "look very much like") == "undecided"


@pytest.mark.parametrize(
    "other",
    [
        {"network": "RobustCNN"},
        {"epsilon": 0.1},
        {"norm": "l2"},
        {"method": "pgd"},
        {"data": "fashion-mnist"},
    ],
)
def test_only_the_reports_attack_on_ordinary_networks_counts(other: dict[str, Any]) -> None:
    networks = [looked_into(name, 0.6) for name in ("a", "b")]
    claim = "look very much like"
    assert verdict([*networks, looked_into("c", 0.6)], claim) == "not supported"
    assert verdict([*networks, looked_into("c", 0.6, **other)], claim) == "too few seeds"

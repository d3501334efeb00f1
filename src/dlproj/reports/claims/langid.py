"""What the report says of recurrent networks, by runs that differ in one part."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from dlproj.data.words import Words, load_words
from dlproj.diagnosis.letters import (
    FAR,
    accuracy_with_gate_held,
    gradient_by_distance,
    shuffled,
)
from dlproj.models.files import load_model
from dlproj.models.langid import CharGRU
from dlproj.reports.claims.base import (
    WORDS,
    Claim,
    Runs,
    by_rule,
    by_tests,
    folders,
    mean,
    on_the_courses_data,
    sample,
)

EMBEDDING = 16
# What is worth anything: a point of accuracy, two points, a factor of two in base 10.
POINTS, POINTS_OF_PARTS, FACTOR = 0.01, 0.02, math.log10(2)


def letters(runs: Runs) -> Claim:
    """Supported: a network trained on the course's words takes vectors of 47."""
    claim = "the one-hot vector of a letter has 47 numbers"
    for folder in folders(runs, "train-langid").values():
        takes = _load(folder).letters
        return by_rule(
            claim, WORDS, f"{takes} letters", "", supported=takes == 47, refuted=takes != 47
        )
    return Claim(claim, WORDS)


def embedding(runs: Runs) -> Claim:
    """What an embedding gains in accuracy. What matters is a point."""
    own, other = _accuracies(runs), _accuracies(runs, embedding=EMBEDDING)
    return by_tests(
        "an embedding is not needed",
        f"{WORDS} --embedding {EMBEDDING}",
        f"{mean(other):.2%} with an embedding of {EMBEDDING}, {mean(own):.2%} with one-hot vectors",
        [(other, own)],
        matters=POINTS,
        harmless=True,
    )


def readout(runs: Runs) -> Claim:
    """What the last state gains over the mean and over the maximum. What matters is a point."""
    own = _accuracies(runs)
    others = {name: _accuracies(runs, readout=name) for name in ("mean", "max")}
    told = " and ".join(f"{mean(values):.2%} by the {name}" for name, values in others.items())
    return by_tests(
        "the last state is the one to read",
        f"{WORDS} --readout mean",
        f"{mean(own):.2%} by the last state, {told}",
        [(own, values) for values in others.values()],
        matters=POINTS,
    )


def cells(runs: Runs) -> Claim:
    """What a GRU gains over a plain RNN in accuracy. What matters is a point."""
    own = {name: _accuracies(runs, cell=name) for name in ("gru", "rnn", "lstm")}
    seconds = {name: _seconds(runs, cell=name) for name in own}
    told = ", ".join(
        f"{name.upper()} {mean(values):.2%}" + (f" in {seconds[name]:.1f} s" if values else "")
        for name, values in own.items()
        if values
    )
    return by_tests(
        "a GRU does better than a plain RNN",
        f"{WORDS} --cell rnn",
        told,
        [(own["gru"], own["rnn"])],
        matters=POINTS,
    )


def vanishing(runs: Runs) -> Claim:
    """How much more of the gradient is left FAR letters back than in an RNN. Matters: twice."""
    left, told = _left_far_back(runs)
    return by_tests(
        "a GRU solves the vanishing gradients of a plain RNN",
        f"{WORDS} --cell rnn",
        told,
        [(left["gru"], left["rnn"])],
        matters=FACTOR,
    )


def exploding(runs: Runs) -> Claim:
    """How much larger the gradient is FAR letters back in a plain RNN. Matters: twice."""
    left, told = _left_far_back(runs)
    return by_tests(
        "a GRU solves the exploding gradients of a plain RNN",
        f"{WORDS} --cell rnn",
        told,
        [(left["rnn"], left["gru"])],
        matters=FACTOR,
    )


def _left_far_back(runs: Runs) -> tuple[dict[str, dict[int, float]], str]:
    """The gradient by a letter FAR before the last, by that of the last, as a power of 10."""
    left: dict[str, dict[int, float]] = {"gru": {}, "rnn": {}, "lstm": {}}
    for name, logs in left.items():
        for seed, folder, words in _trained(runs, cell=name):
            lengths = gradient_by_distance(_load(folder), words)
            logs[seed] = math.log10(max(lengths[FAR], 1e-12) / max(lengths[0], 1e-12))
    told = ", ".join(
        f"{name.upper()} {10 ** mean(logs):.2g} times" for name, logs in left.items() if logs
    )
    return (
        left,
        f"the gradient {FAR} letters before the last is, by that of the last letter, {told}",
    )


def gates(runs: Runs) -> Claim:
    """What is lost where one gate is always at its mean. What matters is two points."""
    own: dict[int, float] = {}
    held: dict[str, dict[int, float]] = {"reset": {}, "update": {}}
    for seed, folder, words in _trained(runs):
        model = _load(folder)
        own[seed] = accuracy_with_gate_held(model, words, None)
        for gate, values in held.items():
            values[seed] = accuracy_with_gate_held(model, words, gate)
    told = ", ".join(
        f"{mean(values):.1%} with the {gate} gate held" for gate, values in held.items()
    )
    return by_tests(
        "reset and update gates control what is passed on and forgotten",
        WORDS,
        f"{mean(own):.1%} of the words are named rightly, {told} at its mean",
        [(own, values) for values in held.values()],
        matters=POINTS_OF_PARTS,
    )


def context(runs: Runs) -> Claim:
    """What is lost where the letters of a word come in another order. Matters: two points."""
    own, mixed = {}, {}
    for seed, folder, words in _trained(runs):
        model = _load(folder)
        own[seed] = accuracy_with_gate_held(model, words, None)
        mixed[seed] = accuracy_with_gate_held(model, shuffled(words, seed), None)
    return by_tests(
        "a recurrent network remembers, and captures the context",
        WORDS,
        f"{mean(own):.1%} of the words, {mean(mixed):.1%} with their letters shuffled",
        [(own, mixed)],
        matters=POINTS_OF_PARTS,
    )


def _accuracies(runs: Runs, **changed: Any) -> dict[int, float]:
    return sample(runs, "train-langid", "test_accuracy", **changed)


def _seconds(runs: Runs, **changed: Any) -> float:
    """Of training, the mean over the seeds."""
    for run in on_the_courses_data(runs, "train-langid", **changed):
        seconds = run.timing["train_seconds"]
        return float(seconds["mean"] if isinstance(seconds, dict) else seconds)
    return 0.0


def _load(folder: Path) -> CharGRU:
    return cast("CharGRU", load_model(folder, "words")[0])


def _trained(runs: Runs, **changed: Any) -> Iterator[tuple[int, Path, Words]]:
    """Seed, network and test words of each single training; none where the words are gone."""
    places = folders(runs, "train-langid", **changed)
    files = [
        Path(run.config["data"]) for run in on_the_courses_data(runs, "train-langid", **changed)
    ]
    file = next(filter(Path.is_file, files), None)
    if places and file:
        words = load_words(file).test
        for seed, folder in places.items():
            yield seed, folder, words

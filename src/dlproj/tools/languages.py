"""The language of the user's own words and phrases."""

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.data.words import Words, encode
from dlproj.errors import DlprojError
from dlproj.experiments.langid import classify
from dlproj.models.files import LANGID
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.tools.predict import Prediction, load_classifier, name_outputs
from dlproj.training.device import Machine, choose_machine
from dlproj.visible import visible

CHUNK = 20_000  # words that are read together
AT_ONCE = 4_000  # words of a length that the network sees at once: a few take it as long
UNKNOWN = "unknown"  # of a word without a known letter
# Letters, with marks between them; _ stands for a combining mark or an invisible character.
WORD = re.compile(r"[^\W\d_][^\W\d]*(?:['\u2019-][^\W\d_][^\W\d]*)*")
DOUBT = 0.02  # of a word in a phrase: it may stand in any language, as names and quotations do


@dataclasses.dataclass(frozen=True)
class WordEvidence:
    """A word of a phrase, its own language, and its share of the evidence.

    The evidence is the lead, in logarithms of probabilities, of the phrase's language over the
    next. The shares of a phrase sum to 1; that of a word which speaks against it is negative.
    """

    word: str
    label: str
    share: float


@dataclasses.dataclass(frozen=True)
class PhrasePrediction(Prediction):
    """What a network makes of a phrase."""

    words: list[WordEvidence]


def read_languages(
    texts: Sequence[str], *, model: Path | None, machine: Machine, phrases: bool = False
) -> list[Prediction]:
    """Name the language of each text; none may be blank.

    A text with spaces in it is read as a phrase, and with `phrases` every text is.
    """
    network, about = load_classifier(model or LANGID, "words", machine)
    parted = [words_of(_compose(text)) if phrases or _spaced(text) else None for text in texts]
    words = [
        word
        for text, parts in zip(texts, parted, strict=True)
        for word in ([text] if parts is None else parts)
    ]
    found = iter(_read_words(words, network, about, machine))
    return [
        next(found)
        if parts is None
        else _read_phrase(text, [next(found) for _ in parts], about["labels"])
        for text, parts in zip(texts, parted, strict=True)
    ]


def predict_languages(
    texts: Iterable[str],
    *,
    model: Path | None,
    top: int | None,
    phrases: bool,
    device: str,
    console: Console,
    json: bool,
) -> None:
    """Show the language of each text that is not blank, or the `top` likeliest."""
    machine = choose_machine(device, "fp32")
    inputs = [text.strip() for text in texts if text.strip()]
    if not inputs:
        raise DlprojError("no words: give some, or name a file or - for standard input")
    found = read_languages(inputs, model=model, machine=machine, phrases=phrases)
    if not json:
        console.lines("\t".join(_cells(one, top or 1)) for one in found)
        return
    shown = document(
        "predict-langid",
        model=str(model or LANGID),
        predictions=[_record(one, top) for one in found],
        environment=machine.describe(),
    )
    console.result(shown, ())


def _cells(found: Prediction, top: int) -> Iterator[str]:
    """Input, label, confidence, the next labels; of a phrase, its words' shares of the evidence."""
    yield visible(found.input)
    for label, probability in found.top(top):
        yield from (visible(label), f"{probability:.4f}")
    if isinstance(found, PhrasePrediction):
        yield " ".join(f"{each.word} {each.share:.2f}" for each in found.words)


def _record(found: Prediction, top: int | None) -> dict[str, Any]:
    record = dataclasses.asdict(found)
    if top is not None:
        record["top"] = [{"label": one, "probability": sure} for one, sure in found.top(top)]
    return record


def _read_words(
    words: Sequence[str], network: nn.Module, about: dict[str, Any], machine: Machine
) -> Iterator[Prediction]:
    for start in range(0, len(words), CHUNK):
        chunk = words[start : start + CHUNK]
        letters, lengths = encode(chunk, about["alphabet"])
        encoded = Words(letters, lengths, torch.zeros(len(chunk), dtype=torch.long))
        logits = classify(network, encoded.to(machine.device), machine, batch_size=AT_ONCE)
        read = name_outputs(chunk, logits, about["labels"])
        blank = (letters < 0).all(1).tolist()
        yield from (_unknown(one) if none else one for one, none in zip(read, blank, strict=True))


def _unknown(found: Prediction) -> Prediction:
    return Prediction(found.input, UNKNOWN, 0.0, dict.fromkeys(found.probabilities, 0.0))


def _read_phrase(text: str, words: list[Prediction], labels: list[str]) -> PhrasePrediction:
    """The sum of what the words say, each taken to be independent of the others (naive Bayes)."""
    said = (
        torch.stack([_evidence(word) for word in words]) if words else torch.zeros(0, len(labels))
    )
    whole = name_outputs([text], said.sum(0, keepdim=True), labels)[0]
    if not any(word.confidence for word in words):
        whole = _unknown(whole)
    first, second = said.sum(0).topk(2).indices
    leads = said[: len(words), first] - said[: len(words), second]
    leads = leads / (leads.sum() or 1)
    evidence = [
        WordEvidence(word.input, word.label, share)
        for word, share in zip(words, leads.tolist(), strict=True)
    ]
    return PhrasePrediction(text, whole.label, whole.confidence, whole.probabilities, evidence)


def _evidence(word: Prediction) -> Tensor:
    """Logarithms of a word's probabilities (labels,); of one without a known letter, none."""
    probabilities = torch.tensor([*word.probabilities.values()], dtype=torch.float64)
    return probabilities.lerp(torch.full_like(probabilities, 1 / len(probabilities)), DOUBT).log()


def _spaced(text: str) -> bool:
    return len(text.split()) > 1


def words_of(text: str) -> list[str]:
    """The words of a phrase, in any script: letters with their marks, parted by anything else."""
    masked = "".join(map(_masked, text))
    return [text[found.start() : found.end()] for found in WORD.finditer(masked)]


def _masked(letter: str) -> str:
    """The letter as WORD wants to see it. A vowel sign, say of Hindi, is a mark to Unicode."""
    if letter == "_":
        return " "
    inner = unicodedata.category(letter) in {"Mn", "Mc", "Me", "Cf"}
    return "_" if inner else letter


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)

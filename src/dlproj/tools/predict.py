"""`predict-langid`, and what the predictions of words and of digits share."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.data.words import Words, encode
from dlproj.errors import DlprojError
from dlproj.experiments.langid import classify
from dlproj.models.files import LANGID, load_model
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.training.device import Machine, choose_machine

CHUNK = 20_000  # words that are looked at together
LANGUAGE_NETWORKS = ("CharGRU", "NgramBag")


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a network makes of one input."""

    input: str
    label: str
    confidence: float
    probabilities: dict[str, float]


def read_words(words: Sequence[str], *, model: Path | None, machine: Machine) -> list[Prediction]:
    """Name the language of each word; none may be empty."""
    network, about = load_classifier(model or LANGID, LANGUAGE_NETWORKS, machine)
    predictions = []
    for start in range(0, len(words), CHUNK):
        chunk = words[start : start + CHUNK]
        letters, lengths = encode(chunk, about["alphabet"])
        encoded = Words(letters, lengths, torch.zeros(len(chunk), dtype=torch.long))
        logits = classify(network, encoded.to(machine.device), machine)
        predictions += name_outputs(chunk, logits, about["labels"])
    return predictions


def predict_languages(
    words: Iterable[str],
    *,
    model: Path | None,
    device: str,
    console: Console,
    json: bool,
) -> None:
    """Show the language of each word that is not blank."""
    machine = choose_machine(device, "fp32")
    inputs = [word.strip() for word in words if word.strip()]
    if not inputs:
        raise DlprojError("no words: give some, or name a file or - for standard input")
    predictions = read_words(inputs, model=model, machine=machine)
    lines = [f"{one.input}\t{one.label}\t{one.confidence:.4f}" for one in predictions]
    about = {"model": str(model or LANGID), "environment": machine.describe()}
    show(predictions, lines, "predict-langid", about, console, json=json)


def load_classifier(
    path: Path, networks: Sequence[str], machine: Machine
) -> tuple[nn.Module, dict[str, Any]]:
    """A network, and what is noted beside it; it has a label for each of its outputs."""
    model, about = load_model(path)
    if about.get("network") not in networks:
        raise DlprojError(f"--model {path}: must hold a {' or '.join(networks)}")
    if not _fits(about, model.arguments):
        raise DlprojError(f"--model {path}: its labels or letters are not those of its network")
    return model.to(machine.device), about


def _fits(about: dict[str, Any], arguments: Any) -> bool:
    """Whether the names and letters beside a network are as many as it has."""
    labels, alphabet = about.get("labels"), about.get("alphabet", "")
    return (
        isinstance(labels, list)
        and all(isinstance(label, str) for label in labels)
        and len(labels) == arguments["classes"]
        and isinstance(alphabet, str)
        and len(alphabet) == arguments.get("letters", 0)
    )


def name_outputs(inputs: Sequence[str], logits: Tensor, labels: list[str]) -> list[Prediction]:
    """Predictions of logits (inputs, labels)."""
    probabilities = logits.softmax(1)
    confidences, classes = probabilities.max(1)
    return [
        Prediction(name, labels[index], confidence, dict(zip(labels, row, strict=True)))
        for name, index, confidence, row in zip(
            inputs, classes.tolist(), confidences.tolist(), probabilities.tolist(), strict=True
        )
    ]


def show(
    predictions: Sequence[Prediction],
    lines: Sequence[str],
    command: str,
    about: dict[str, Any],
    console: Console,
    *,
    json: bool,
) -> None:
    """Print predictions: as lines, or as one document with what else is known about them."""
    if not json:
        console.lines(lines)
        return
    found = [dataclasses.asdict(prediction) for prediction in predictions]
    console.result(document(command, predictions=found, **about), ())

"""Predictions for the user's own input."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.data.digits import to_pixels
from dlproj.data.pictures import read_picture
from dlproj.data.words import Words, encode
from dlproj.errors import DlprojError
from dlproj.experiments.langid import classify
from dlproj.models.files import DIGITS, LANGID, load_model
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.store.runs import write_file
from dlproj.training.device import Machine, choose_machine
from dlproj.training.loop import predict

CHUNK = 20_000  # words that are looked at together
DIGIT_NETWORKS = ("DigitCNN", "FastCNN", "DeepCNN")
LANGUAGE_NETWORKS = ("CharGRU", "NgramBag")


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a network makes of one input."""

    input: str
    label: str
    confidence: float
    probabilities: dict[str, float]


def read_digits(
    images: Tensor, names: Sequence[str], *, model: Path | None, machine: Machine
) -> list[Prediction]:
    """Name the digit on each of the images (n, 1, 28, 28) in [0, 1], white ink on black."""
    network, about = _load(model or DIGITS, DIGIT_NETWORKS, machine)
    logits = predict(network, images.to(machine.device), machine=machine)
    return _predictions(names, logits, about["labels"])


def read_words(words: Sequence[str], *, model: Path | None, machine: Machine) -> list[Prediction]:
    """Name the language of each word; none may be empty."""
    network, about = _load(model or LANGID, LANGUAGE_NETWORKS, machine)
    predictions = []
    for start in range(0, len(words), CHUNK):
        chunk = words[start : start + CHUNK]
        letters, lengths = encode(chunk, about["alphabet"])
        encoded = Words(letters, lengths, torch.zeros(len(chunk), dtype=torch.long))
        logits = classify(network, encoded.to(machine.device), machine)
        predictions += _predictions(chunk, logits, about["labels"])
    return predictions


def predict_digits(
    paths: Sequence[Path],
    *,
    model: Path | None,
    strip: Path | None,
    device: str,
    console: Console,
    json: bool,
) -> None:
    """Show the digit on each picture; draw what the network saw to `strip`."""
    machine = choose_machine(device, "fp32")
    pictures = torch.stack([read_picture(path) for path in paths])
    names = [str(path) for path in paths]
    predictions = read_digits(to_pixels(pictures), names, model=model, machine=machine)
    if strip:
        from dlproj.output.figures.strip import draw_strip  # noqa: PLC0415 - takes a second

        captions = [f"{one.label}  {one.confidence:.0%}" for one in predictions]
        write_file(strip, draw_strip(pictures, captions))
        console.note(f"what the network saw is in {strip}")
    _show(predictions, "predict-digit", model or DIGITS, machine, console, json=json)


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
    _show(predictions, "predict-langid", model or LANGID, machine, console, json=json)


def _load(
    path: Path, networks: Sequence[str], machine: Machine
) -> tuple[nn.Module, dict[str, Any]]:
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


def _predictions(inputs: Sequence[str], logits: Tensor, labels: list[str]) -> list[Prediction]:
    probabilities = logits.softmax(1)
    confidences, classes = probabilities.max(1)
    return [
        Prediction(name, labels[index], confidence, dict(zip(labels, row, strict=True)))
        for name, index, confidence, row in zip(
            inputs, classes.tolist(), confidences.tolist(), probabilities.tolist(), strict=True
        )
    ]


def _show(
    predictions: list[Prediction],
    command: str,
    model: Path,
    machine: Machine,
    console: Console,
    *,
    json: bool,
) -> None:
    if not json:
        console.lines(f"{p.input}\t{p.label}\t{p.confidence:.4f}" for p in predictions)
        return
    found = document(
        command,
        model=str(model),
        predictions=[dataclasses.asdict(prediction) for prediction in predictions],
        environment=machine.describe(),
    )
    console.result(found, ())

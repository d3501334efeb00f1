"""Predictions for the user's own input."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.data.digits import to_pixels
from dlproj.errors import DlprojError
from dlproj.models.catalogue import Reads
from dlproj.models.files import DIGITS, load_model
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.store.runs import write_file
from dlproj.training.device import Machine, choose_machine
from dlproj.training.loop import predict
from dlproj.visible import visible


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a network makes of one input."""

    input: str
    label: str
    confidence: float
    probabilities: dict[str, float]

    def top(self, count: int) -> list[tuple[str, float]]:
        """The likeliest labels and their probabilities; `unknown` alone where nothing is known."""
        if not self.confidence:
            return [(self.label, self.confidence)]
        return sorted(self.probabilities.items(), key=lambda item: -item[1])[:count]


def read_digits(
    images: Tensor, names: Sequence[str], *, model: Path | None, machine: Machine
) -> list[Prediction]:
    """Name the digit on each of the images (n, 1, 28, 28) in [0, 1], white ink on black."""
    network, about = load_classifier(model or DIGITS, "digits", machine)
    logits = predict(network, images.to(machine.device), machine=machine)
    return name_outputs(names, logits, about["labels"])


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
    from dlproj.data.pictures import read_picture  # noqa: PLC0415 - Pillow, which words do without

    machine = choose_machine(device, "fp32")
    pictures = torch.stack([read_picture(path) for path in paths])
    names = [str(path) for path in paths]
    predictions = read_digits(to_pixels(pictures), names, model=model, machine=machine)
    if strip:
        from dlproj.output.figures.fonts import find_fonts  # noqa: PLC0415 - takes a second
        from dlproj.output.figures.strip import draw_strip  # noqa: PLC0415
        from dlproj.output.figures.style import label_of  # noqa: PLC0415

        console.remark(find_fonts(one.label for one in predictions))
        captions = [f"{label_of(one.label)}  {one.confidence:.0%}" for one in predictions]
        write_file(strip, draw_strip(pictures, captions))
        console.note(f"what the network saw is in {strip}")
    show_predictions(predictions, "predict-digit", model or DIGITS, machine, console, json=json)


def load_classifier(path: Path, reads: Reads, machine: Machine) -> tuple[nn.Module, dict[str, Any]]:
    """A network that reads such inputs, on the machine, and what was noted beside it.

    Raises:
        DlprojError: the file holds another, or what is noted does not fit it.
    """
    model, about = load_model(path, reads)
    if not _fits(about, model.arguments):
        raise DlprojError(f"--model {path}: its labels or letters are not those of its network")
    return model.to(machine.device), about


def _fits(about: dict[str, Any], arguments: Any) -> bool:
    """Whether the names and letters beside a network are as many as it has."""
    labels, alphabet = about.get("labels"), about.get("alphabet", "")
    return (
        isinstance(labels, list)
        and all(isinstance(label, str) for label in labels)
        and len(labels) == arguments.get("classes", 10)
        and isinstance(alphabet, str)
        and len(alphabet) == arguments.get("letters", 0)
    )


def name_outputs(inputs: Sequence[str], logits: Tensor, labels: list[str]) -> list[Prediction]:
    """The likeliest label of each input, from logits (inputs, labels)."""
    probabilities = logits.softmax(1)
    confidences, classes = probabilities.max(1)
    return [
        Prediction(name, labels[index], confidence, dict(zip(labels, row, strict=True)))
        for name, index, confidence, row in zip(
            inputs, classes.tolist(), confidences.tolist(), probabilities.tolist(), strict=True
        )
    ]


def show_predictions(
    predictions: list[Prediction],
    command: str,
    model: Path,
    machine: Machine,
    console: Console,
    *,
    json: bool,
) -> None:
    """A line for each prediction, or one JSON document."""
    if not json:
        console.lines(
            f"{visible(p.input)}\t{visible(p.label)}\t{p.confidence:.4f}" for p in predictions
        )
        return
    found = document(
        command,
        model=str(model),
        predictions=[dataclasses.asdict(prediction) for prediction in predictions],
        environment=machine.describe(),
    )
    console.result(found, ())

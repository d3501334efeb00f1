"""What the predictions of words and of digits share."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from dlproj.errors import DlprojError
from dlproj.models.catalogue import Reads
from dlproj.models.files import load_model
from dlproj.training.device import Machine


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

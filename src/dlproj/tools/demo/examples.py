"""What the page of `dlproj demo` shows beside the networks: examples, words, an ablation."""

import base64
from typing import Any

import torch
from torch import nn

from dlproj.data.digits import Digits, to_pixels
from dlproj.data.words import WordData, Words
from dlproj.training.device import Machine
from dlproj.training.loop import predict

EXAMPLES, MISTAKES = 100, 30
WORDS = 3  # of each language, to begin with


def digit_examples(model: nn.Module, digits: Digits, machine: Machine) -> dict[str, Any]:
    """A hundred test images: the mistakes the network is surest of, then as many of each class.

    `pictures` is base64 of 784 bytes for each; `mistakes` counts those that come first.
    """
    test = digits.test
    probabilities = predict(model, to_pixels(test.pictures), machine=machine).softmax(1)
    confidence, classes = probabilities.max(1)
    wrong = (classes != test.labels).nonzero()[:, 0]
    mistakes = wrong[confidence[wrong].argsort(descending=True, stable=True)][:MISTAKES]
    right = (classes == test.labels).nonzero()[:, 0]
    each = (EXAMPLES - len(mistakes)) // digits.classes
    ordinary = [right[test.labels[right] == label][:each] for label in range(digits.classes)]
    chosen = torch.cat([mistakes, *ordinary])
    pictures = test.pictures[chosen].numpy().tobytes()
    return {
        "pictures": base64.b64encode(pictures).decode(),
        "labels": test.labels[chosen].tolist(),
        "numbers": chosen.tolist(),
        "mistakes": len(mistakes),
    }


def sample_words(data: WordData) -> list[str]:
    """Some words of each language, of those held out."""
    words = data.validation
    usual = (words.lengths >= 5) & (words.lengths <= 9) & _all_known(words)
    return [
        "".join(data.alphabet[index] for index in words.letters[row, : words.lengths[row]])
        for label in range(len(data.names))
        for row in ((words.labels == label) & usual).nonzero()[:WORDS, 0].tolist()
    ]


def _all_known(words: Words) -> torch.Tensor:
    """Whether each word (n,) has no letter but those of the alphabet."""
    return (words.letters >= 0).sum(1) == words.lengths


def trainings(
    records: list[dict[str, Any]], cells: list[dict[str, Any]], command: str
) -> dict[str, Any]:
    """The trainings of `ablate-batchnorm`, what they show at each rate, and what made them."""
    names = ("lr", "seed", "arm", "accuracy", "diverged", "steps")
    runs = [
        {name: run[name] for name in names}
        | {"losses": [float(f"{loss:.3g}") for loss in run["losses"]]}
        for run in sorted(records, key=lambda run: (run["lr"], run["seed"], run["arm"]))
    ]
    shown = [{name: cell[name] for name in ("lr", "difference", "ci95")} for cell in cells]
    return {"runs": runs, "cells": shown, "command": command}

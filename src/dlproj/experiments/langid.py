"""Task 4: a GRU reads a word letter by letter and names its language."""

import time
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.words import LengthBatches, WordData, Words, by_length, load_words
from dlproj.models.langid import CharGRU, NgramBag
from dlproj.output.console import Table
from dlproj.output.text import number, percent
from dlproj.running.context import Context, Outcome
from dlproj.running.training import train
from dlproj.settings import LangidConfig
from dlproj.store.weights import pack_model
from dlproj.training.device import Machine
from dlproj.training.loop import Training, accuracy, confusion_matrix, fit, predict
from dlproj.training.optimizers import without_compiler
from dlproj.training.schedule import make_schedule


def run(config: LangidConfig, context: Context) -> Outcome:
    """Train on the training words, then look at the test words once."""
    data = load_words(config.data)
    device = context.machine.device
    words, validation, test = (
        split.to(device) for split in (data.train, data.validation, data.test)
    )
    batches = LengthBatches(words, batch_size=config.batch_size, seed=config.seed)
    training = make_training(config, data, len(batches), device)

    def validate() -> dict[str, float]:
        logits = classify(training.model, validation, context.machine)
        return {"validation_accuracy": accuracy(logits, validation.labels)}

    train(
        training,
        lambda: fit(
            training,
            batches,
            loss_fn=partial(F.cross_entropy, label_smoothing=config.label_smoothing),
            epochs=config.epochs,
            machine=context.machine,
            score=accuracy,
        ),
        config,
        context,
        validate=validate,
        unit="words",
    )
    started = time.perf_counter()
    logits = classify(training.model, test, context.machine)
    test_seconds = time.perf_counter() - started

    about = {"labels": data.names, "alphabet": data.alphabet}
    context.run.write("model.safetensors", pack_model(training.model, about))
    metrics = {
        **score_words(logits, test, data.names),
        "dev_accuracy": validate()["validation_accuracy"],
        "parameters": sum(weights.numel() for weights in training.model.parameters()),
    }
    if context.session.plots:
        from dlproj.output.figures import langid as figures  # noqa: PLC0415 - takes a second

        figures.draw(context.run, metrics, data.names)
    return Outcome(
        metrics,
        {
            "train_seconds": training.seconds,
            "words_per_second": config.epochs * len(words) / training.seconds,
            "test_seconds": test_seconds,
        },
    )


def make_training(
    config: LangidConfig, data: WordData, steps_per_epoch: int, device: torch.device
) -> Training:
    """The network with fresh weights, Adam and its schedule."""
    torch.manual_seed(config.seed)
    model = make_network(config, letters=len(data.alphabet), classes=len(data.names))
    if isinstance(model, NgramBag):
        words = data.train
        rows = by_length(words.lengths)
        model.count((words.letters[row, :length], words.labels[row]) for length, row in rows)
    model = model.to(device)
    optimizer = without_compiler(torch.optim.Adam)(
        model.parameters(),
        lr=config.lr,
        betas=(config.momentum, 0.999),
        weight_decay=config.weight_decay,
    )
    schedule = make_schedule(config.schedule, optimizer, config.epochs * steps_per_epoch)
    return Training(model, optimizer, schedule)


def make_network(config: LangidConfig, *, letters: int, classes: int) -> nn.Module:
    """The network that the settings name."""
    if config.network == "ngrams":
        return NgramBag(
            letters=letters,
            classes=classes,
            longest=config.longest,
            hidden=config.hidden,
            dropout=config.dropout,
        )
    return CharGRU(
        letters=letters,
        classes=classes,
        hidden=config.hidden,
        layers=config.layers,
        bidirectional=config.bidirectional,
        dropout=config.dropout,
    )


def classify(model: nn.Module, words: Words, machine: Machine) -> Tensor:
    """Logits (words, classes), in the words' own order."""
    rows, logits = [], []
    for length, places in by_length(words.lengths):
        rows.append(places)
        logits.append(predict(model, words.letters[places, :length], machine=machine))
    return torch.cat(logits)[torch.cat(rows).argsort()]


def score_words(logits: Tensor, words: Words, names: list[str]) -> dict[str, Any]:
    """Accuracy and loss, in total, by language and by length of the word."""
    confusion = confusion_matrix(logits, words.labels, len(names))
    by_language = confusion.diag().double() / confusion.sum(1).clamp(min=1)
    right = logits.argmax(1) == words.labels
    return {
        "test_accuracy": accuracy(logits, words.labels),
        "test_loss": F.cross_entropy(logits, words.labels).item(),
        "per_language": dict(zip(names, by_language.tolist(), strict=True)),
        "per_length": [
            {
                "length": length,
                "words": len(rows),
                "accuracy": right[rows].double().mean().item(),
            }
            for length, rows in by_length(words.lengths)
        ],
        "confusion_matrix": confusion.tolist(),
    }


def tables(metrics: dict[str, Any], timing: dict[str, Any]) -> list[Table]:
    """The result for people."""
    rows = [
        ["test accuracy", percent(metrics["test_accuracy"])],
        ["validation accuracy", percent(metrics["dev_accuracy"])],
        ["test loss", number(metrics["test_loss"])],
        ["parameters", number(metrics["parameters"], ",.0f")],
        ["training", number(timing["train_seconds"], ".1f") + " s"],
    ]
    result = [Table("Result", ("", ""), rows)]
    if "per_language" in metrics:
        by_language = [[name, percent(value)] for name, value in metrics["per_language"].items()]
        result.append(Table("Accuracy by language", ("language", "accuracy"), by_language))
    return result

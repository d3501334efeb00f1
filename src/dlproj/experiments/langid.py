"""Task 4: a GRU reads a word letter by letter and names its language."""

import time
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.words import LengthBatches, WordData, Words, by_length, join_words, load_words
from dlproj.experiments.calibration import best_temperature, calibration
from dlproj.models.catalogue import trained_as
from dlproj.models.ngrams import NgramBag
from dlproj.running.context import Context, Outcome
from dlproj.running.training import train
from dlproj.settings import LangidConfig
from dlproj.store.weights import pack_model
from dlproj.training.device import Machine
from dlproj.training.loop import (
    Loss,
    Training,
    accuracy,
    class_accuracy,
    confusion_matrix,
    fit,
    predict,
)
from dlproj.training.optimizers import make_optimizer
from dlproj.training.schedule import make_schedule

SLOTS = 2**19  # slots for counted n-grams
KNOWN = 2**17  # slots for words known by heart
MISREAD = 10  # times more a word gains by being known that is misread otherwise


def run(config: LangidConfig, context: Context) -> Outcome:
    """Train on the training words, then look at the test words once."""
    data = load_words(config.data, config.dialect, rare=config.rare_words)
    context.announce(data.notes)
    if not config.held_out:
        context.console.note("all words are trained on: what is measured says nothing of new words")
        data = replace(data, train=join_words([data.train, data.validation, data.test]))
    device = context.machine.device
    words, validation, test = (
        split.to(device) for split in (data.train, data.validation, data.test)
    )
    targets = make_targets(words, config)
    batches = LengthBatches(words, batch_size=config.batch_size, seed=config.seed, targets=targets)
    training = make_training(config, data, len(batches), device)
    chosen = validation.of_one_language()

    def validate() -> dict[str, float]:
        logits = classify(training.model, chosen, context.machine)
        return {"validation_accuracy": accuracy(logits, chosen.labels)}

    train(
        training,
        lambda: fit(
            training,
            batches,
            loss_fn=make_loss(words, config),
            epochs=config.epochs,
            machine=context.machine,
            score=score,
        ),
        config,
        context,
        validate=validate,
        unit="words",
    )
    if isinstance(training.model, NgramBag):
        finish(training.model, words, validation, config, context.machine)
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
        from dlproj.output.figures.fonts import find_fonts  # noqa: PLC0415

        context.console.remark(find_fonts(data.names))
        figures.draw(context.run, metrics, data.names)
    return Outcome(
        metrics,
        {
            "train_seconds": training.seconds,
            "words_per_second": config.epochs * len(words) / training.seconds,
            "test_seconds": test_seconds,
        },
        data.notes.remarks,
    )


def make_targets(words: Words, config: LangidConfig) -> Tensor:
    """What the network learns of each word: its label (words,), or (words, classes).

    The latter are the shares of the languages, smoothed, times what the word weighs in the loss.
    """
    if words.shares is None:
        return words.labels
    evenly = torch.full_like(words.shares, 1 / words.shares.shape[1])
    smoothed = words.shares.lerp(evenly, config.label_smoothing)
    return smoothed * weigh(words, config).unsqueeze(1)


def weigh(words: Words, config: LangidConfig) -> Tensor:
    """What each word (words,) weighs in the loss, 1 on average: a power of its frequency."""
    if words.frequency is None:
        return torch.ones_like(words.labels, dtype=torch.float32)
    weights = words.frequency**config.frequency_power
    return weights / weights.mean()


def make_loss(words: Words, config: LangidConfig) -> Loss:
    """Cross-entropy, of labels with their smoothing; that of `make_targets` is within them."""
    smoothing = config.label_smoothing if words.shares is None else 0.0
    return partial(F.cross_entropy, label_smoothing=smoothing)


def score(logits: Tensor, targets: Tensor) -> float:
    """Fraction of words whose likeliest language is the one that was learnt."""
    return accuracy(logits, targets if targets.dim() == 1 else targets.argmax(1))


def finish(
    model: NgramBag, words: Words, validation: Words, config: LangidConfig, machine: Machine
) -> None:
    """Choose the temperature on validation words; know by heart what is gained most by.

    A word gains what its shares differ from what the network says (the Kullback-Leibler
    divergence), times the square root of its frequency; and tenfold, if it is misread.
    """
    if config.held_out:
        model.temperature.fill_(1)
        logits = classify(model, validation, machine)
        shares = shares_of(validation, model.classes)
        model.temperature.fill_(best_temperature(logits, shares, validation.frequency))
    if words.shares is None or words.frequency is None:
        return
    logits = classify(model, words, machine).log_softmax(1)
    gains = F.kl_div(logits, words.shares, reduction="none").sum(1) * words.frequency.sqrt()
    gains = torch.where(logits.argmax(1) == words.labels, gains, gains * MISREAD)
    model.remember(
        (words.letters[rows, :length], words.shares[rows], gains[rows])
        for length, rows in by_length(words.lengths)
    )


def shares_of(words: Words, classes: int) -> Tensor:
    """The languages' shares (words, classes) of words; all or nothing where labels are given."""
    return F.one_hot(words.labels, classes).float() if words.shares is None else words.shares


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
    optimizer = make_optimizer(
        "adam",
        model,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )
    schedule = make_schedule(config.schedule, optimizer, config.epochs * steps_per_epoch)
    return Training(model, optimizer, schedule)


def make_network(config: LangidConfig, *, letters: int, classes: int) -> nn.Module:
    """The network that the settings name."""
    network = trained_as("words", config.network)
    options = {"hidden": config.hidden, "dropout": config.dropout}
    if network is NgramBag:
        options |= {"longest": config.longest, "slots": SLOTS, "known": KNOWN, "apart": True}
    else:
        options |= {"layers": config.layers, "bidirectional": config.bidirectional}
        options |= {name: getattr(config, name) for name in ("cell", "embedding", "readout")}
    return network(letters=letters, classes=classes, **options)


def classify(model: nn.Module, words: Words, machine: Machine, *, batch_size: int = 250) -> Tensor:
    """Logits (words, classes), in the words' own order."""
    rows, logits = [], []
    for length, places in by_length(words.lengths):
        rows.append(places)
        letters = words.letters[places, :length]
        logits.append(predict(model, letters, machine=machine, batch_size=batch_size))
    return torch.cat(logits)[torch.cat(rows).argsort()]


def score_words(logits: Tensor, words: Words, names: list[str]) -> dict[str, Any]:
    """Accuracy and loss of words that belong to one language; how sure the network is of all."""
    shares, frequency = shares_of(words, len(names)), words.frequency
    calibrated = {"calibration": calibration(logits, shares, frequency)}
    if words.owned is not None:
        logits, words = logits[words.owned], words.of_one_language()
    confusion = confusion_matrix(logits, words.labels, len(names))
    right = logits.argmax(1) == words.labels
    return {
        "test_accuracy": accuracy(logits, words.labels),
        "test_loss": F.cross_entropy(logits, words.labels).item(),
        "per_language": dict(zip(names, class_accuracy(confusion), strict=True)),
        "per_length": [
            {
                "length": length,
                "words": len(rows),
                "accuracy": right[rows].double().mean().item(),
            }
            for length, rows in by_length(words.lengths)
        ],
        "confusion_matrix": confusion.tolist(),
        **calibrated,
    }

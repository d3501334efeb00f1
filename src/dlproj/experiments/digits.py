"""Task 1: a CNN learns handwritten digits."""

import time
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Images, load_digits, to_pixels
from dlproj.data.distortions import distorted_pixels
from dlproj.experiments.adversarial import AdversarialBatches, robust_accuracy
from dlproj.experiments.pens import PenBatches, open_set_loss
from dlproj.models.catalogue import trained_as
from dlproj.models.digits import RobustCNN
from dlproj.running.context import Context, Outcome
from dlproj.running.training import train
from dlproj.settings import DigitsConfig
from dlproj.store.weights import pack, pack_model
from dlproj.training.device import Machine
from dlproj.training.loop import (
    Batches,
    Training,
    accuracy,
    class_accuracy,
    confusion_matrix,
    fit,
    predict,
)
from dlproj.training.optimizers import without_compiler
from dlproj.training.schedule import make_schedule


def run(config: DigitsConfig, context: Context) -> Outcome:
    """Train on the training images, then look at the test images once."""
    device = context.machine.device
    digits = load_digits(
        config.dataset, config.data, validation=config.validation, transpose=config.transpose
    )
    context.announce(digits.notes)
    images, validation, test = (
        split.to(device) for split in (digits.train, digits.validation, digits.test)
    )
    batches = ShuffledBatches(
        images.pictures,
        images.labels,
        batch_size=config.batch_size,
        seed=config.seed,
        prepare=partial(distorted_pixels, strength=config.distort),
    )
    training = make_training(config, digits.classes, len(batches), device)
    examples: Batches = batches
    if config.pens:
        examples = PenBatches(batches, digits.classes)
    if config.adversarial:
        examples = AdversarialBatches(
            batches, training.model, context.machine, config.epsilon, config.steps
        )

    def robust(images: Images) -> float:
        pixels = to_pixels(images.pictures)
        return robust_accuracy(training.model, pixels, images.labels, config, context.machine)

    def validate() -> dict[str, float]:
        logits = classify(training.model, validation, context.machine)
        scores = {"validation_accuracy": accuracy(logits, validation.labels)}
        if config.adversarial:
            scores["validation_robust_accuracy"] = robust(validation)
        return scores

    train(
        training,
        lambda: fit(
            training,
            examples,
            loss_fn=partial(open_set_loss, label_smoothing=config.label_smoothing)
            if config.pens
            else partial(F.cross_entropy, label_smoothing=config.label_smoothing),
            epochs=config.epochs,
            machine=context.machine,
            score=accuracy,
        ),
        config,
        context,
        validate=validate if config.validation else None,
        unit="images",
    )
    started = time.perf_counter()
    logits = classify(training.model, test, context.machine)
    test_seconds = time.perf_counter() - started

    metrics = {
        **score_digits(logits, test.labels, digits.names),
        **({"robust_accuracy": robust(test)} if config.adversarial else {}),
        **(validate() if config.validation else {}),
        "parameters": sum(weights.numel() for weights in training.model.parameters()),
    }
    context.run.write("model.safetensors", pack_model(training.model, {"labels": digits.names}))
    context.run.write("predictions.safetensors", pack({"logits": logits}, {}))
    if context.session.plots:
        from dlproj.output.figures import digits as figures  # noqa: PLC0415 - takes a second
        from dlproj.output.figures.fonts import find_fonts  # noqa: PLC0415

        context.console.remark(find_fonts(digits.names))
        figures.draw(
            context.run,
            digits.test,
            logits.softmax(1).cpu(),
            metrics["confusion_matrix"],
            digits.names,
        )
    return Outcome(
        metrics,
        {
            "train_seconds": training.seconds,
            "images_per_second": config.epochs * len(images) / training.seconds,
            "test_seconds": test_seconds,
        },
        digits.notes.remarks,
    )


def make_training(
    config: DigitsConfig, classes: int, steps_per_epoch: int, device: torch.device
) -> Training:
    """The network with fresh weights, its optimiser and its schedule."""
    torch.manual_seed(config.seed)
    model = make_network(config, classes)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer: torch.optim.Optimizer
    if config.optimizer == "adam":
        optimizer = without_compiler(torch.optim.AdamW)(
            model.parameters(),
            lr=config.lr,
            betas=(config.momentum, 0.999),
            weight_decay=config.weight_decay,
        )
    else:
        optimizer = without_compiler(torch.optim.SGD)(
            model.parameters(),
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
    schedule = make_schedule(config.schedule, optimizer, config.epochs * steps_per_epoch)
    return Training(model, optimizer, schedule)


def make_network(config: DigitsConfig, classes: int) -> torch.nn.Module:
    """The network that the settings name."""
    network = trained_as("digits", config.network)
    options = {} if network is RobustCNN else {"batchnorm": config.batchnorm}
    return network(classes=classes, **options)


def classify(model: torch.nn.Module, images: Images, machine: Machine) -> Tensor:
    """Logits (images, classes)."""
    return predict(model, to_pixels(images.pictures), machine=machine)


def score_digits(logits: Tensor, labels: Tensor, names: list[str]) -> dict[str, Any]:
    """Accuracy and loss, in total and by class, and who is taken for whom."""
    classes = len(names)
    confusion = confusion_matrix(logits, labels, classes)
    mistakes = confusion.clone().fill_diagonal_(0).flatten()
    worst = mistakes.argsort(descending=True, stable=True)[:5].tolist()
    return {
        "test_accuracy": accuracy(logits, labels),
        "test_loss": F.cross_entropy(logits, labels).item(),
        "class_accuracy": dict(zip(names, class_accuracy(confusion), strict=True)),
        "worst_confusions": [
            {
                "label": names[pair // classes],
                "predicted": names[pair % classes],
                "count": int(mistakes[pair]),
            }
            for pair in worst
            if mistakes[pair]
        ],
        "confusion_matrix": confusion.tolist(),
    }

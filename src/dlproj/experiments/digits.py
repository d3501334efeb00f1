"""Task 1: a CNN learns handwritten digits."""

import time
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import Digits, Images, load_digits, to_pixels
from dlproj.data.distortions import distorted_pixels
from dlproj.experiments.adversarial import CONTRAST, AdversarialBatches, robust_accuracy
from dlproj.experiments.pens import PenBatches, open_set_loss
from dlproj.models.catalogue import trained_as
from dlproj.models.digits import MNIST_DEVIATION, MNIST_MEAN, DigitCNN, RobustCNN
from dlproj.running.context import Context, Outcome
from dlproj.running.training import train
from dlproj.settings import DigitsConfig
from dlproj.store.weights import pack, pack_model
from dlproj.training.device import Machine
from dlproj.training.loop import (
    Batches,
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


def run(config: DigitsConfig, context: Context) -> Outcome:
    """Train on the training images, then look at the test images once."""
    digits = load_digits(
        config.dataset, config.data, validation=config.validation, transpose=config.transpose
    )
    context.announce(digits.notes)
    digits = digits.to(context.machine.device)
    batches = make_batches(config, digits)
    training = make_training(config, digits.classes, len(batches), context.machine.device)

    # The steps begin when `train` calls for them: a resumed training is first put where it was.
    train(
        training,
        lambda: fit(
            training,
            make_examples(config, batches, training.model, digits.classes, context.machine),
            loss_fn=make_loss(config),
            epochs=config.epochs,
            machine=context.machine,
            score=accuracy,
        ),
        config,
        context,
        validate=partial(validate, config, training.model, digits, context.machine),
        unit="images",
    )
    started = time.perf_counter()
    logits = classify(training.model, digits.test, context.machine)
    test_seconds = time.perf_counter() - started

    metrics = {
        **score_digits(logits, digits.test.labels, digits.names),
        **robust_scores("", config, training.model, digits.test, context.machine),
        **validate(config, training.model, digits, context.machine),
        "parameters": sum(weights.numel() for weights in training.model.parameters()),
    }
    keep(context, training.model, digits, logits, metrics)
    return Outcome(
        metrics,
        timing={
            "train_seconds": training.seconds,
            "images_per_second": config.epochs * len(digits.train) / training.seconds,
            "test_seconds": test_seconds,
        },
        remarks=digits.notes.remarks,
    )


def make_batches(config: DigitsConfig, digits: Digits) -> ShuffledBatches:
    """The training images in a new order each epoch, distorted if that is asked for."""
    contrast = CONTRAST if config.adversarial else 1.0
    return ShuffledBatches(
        digits.train.pictures,
        digits.train.labels,
        batch_size=config.batch_size,
        seed=config.seed,
        prepare=partial(distorted_pixels, strength=config.distort, contrast=contrast),
    )


def make_examples(
    config: DigitsConfig, batches: ShuffledBatches, model: nn.Module, classes: int, machine: Machine
) -> Batches:
    """What the network learns from: the images, or what pens or an attack make of them."""
    if config.adversarial:
        return AdversarialBatches(batches, model, machine, config.epsilon, config.steps)
    return PenBatches(batches, classes) if config.pens else batches


def make_loss(config: DigitsConfig) -> Loss:
    """Cross-entropy; with pens, also of shapes that are no digit."""
    loss = open_set_loss if config.pens else F.cross_entropy
    return partial(loss, label_smoothing=config.label_smoothing)


def make_training(
    config: DigitsConfig, classes: int, steps_per_epoch: int, device: torch.device
) -> Training:
    """The network with fresh weights, its optimiser and its schedule."""
    torch.manual_seed(config.seed)
    model = make_network(config, classes)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = make_optimizer(
        config.optimizer,
        model,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        fused=config.adversarial or None,  # one kernel for all weights
    )
    schedule = make_schedule(config.schedule, optimizer, config.epochs * steps_per_epoch)
    return Training(model, optimizer, schedule)


def make_network(config: DigitsConfig, classes: int) -> nn.Module:
    """The network that the settings name."""
    network = trained_as("digits", config.network)
    options = {"convolutions": 3} if network is RobustCNN else {"batchnorm": config.batchnorm}
    return network(classes=classes, **options)


def validate(
    config: DigitsConfig, model: nn.Module, digits: Digits, machine: Machine
) -> dict[str, float]:
    """Scores on the images that are held out; none where none are."""
    if not config.validation:
        return {}
    logits = classify(model, digits.validation, machine)
    return {
        "validation_accuracy": accuracy(logits, digits.validation.labels),
        **robust_scores("validation_", config, model, digits.validation, machine),
    }


def robust_scores(
    prefix: str, config: DigitsConfig, model: nn.Module, images: Images, machine: Machine
) -> dict[str, float]:
    """Accuracy under PGD of a network that was trained for it."""
    if not config.adversarial:
        return {}
    pixels = to_pixels(images.pictures)
    score = robust_accuracy(model, pixels, images.labels, config, machine)
    return {f"{prefix}robust_accuracy": score}


def classify(model: nn.Module, images: Images, machine: Machine) -> Tensor:
    """Logits (images, classes)."""
    return predict(model, to_pixels(images.pictures), machine=machine)


def score_digits(logits: Tensor, labels: Tensor, names: list[str]) -> dict[str, Any]:
    """Accuracy and loss, in total and by class, and who is taken for whom."""
    classes = len(names)
    confusion = confusion_matrix(logits, labels, classes)
    # What stands beside the diagonal are mistakes, of pair label * classes + predicted.
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


def keep(
    context: Context, model: nn.Module, digits: Digits, logits: Tensor, metrics: dict[str, Any]
) -> None:
    """Write network, predictions and figures into the run."""
    context.run.write("model.safetensors", pack_model(model, {"labels": digits.names}))
    context.run.write("predictions.safetensors", pack({"logits": logits}, {}))
    if context.session.plots:
        from dlproj.output.figures import digits as figures  # noqa: PLC0415 - takes a second
        from dlproj.output.figures.fonts import find_fonts  # noqa: PLC0415

        context.console.remark(find_fonts(digits.names))
        figures.draw(
            context.run,
            digits.test.to(torch.device("cpu")),
            logits.softmax(1).cpu(),
            metrics["confusion_matrix"],
            digits.names,
            first_layer(model, digits.test) if isinstance(model, DigitCNN) else None,
        )


@torch.no_grad()
def first_layer(model: DigitCNN, images: Images) -> tuple[Tensor, Tensor]:
    """Its filters (16, 1, 3, 3), and what they answer to the first image (16, 26, 26)."""
    pixels = (to_pixels(images.pictures[:1]) - MNIST_MEAN) / MNIST_DEVIATION
    return model.conv1.weight.detach().cpu(), model.conv1(pixels)[0].cpu()

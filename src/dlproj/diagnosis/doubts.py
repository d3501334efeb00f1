"""Signs that an attack is weak rather than the network robust (after Carlini et al. 2019)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.common import loss_gradient
from dlproj.attacks.flatness import MOST_FLAT, untold
from dlproj.attacks.frozen import frozen
from dlproj.attacks.result import AsTheyAre, Attacked
from dlproj.settings import AttackConfig

IMAGES, GRADIENTS = 1000, 250  # that are looked at
BATCH = AttackConfig.batch_size
TOLERANCE = 0.01  # of accuracy, by which chance alone may turn an order round
FLAT = 1e-10  # largest entry of a gradient that single precision cannot tell from none


def find_doubts(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    before: AsTheyAre,
    results: Sequence[Attacked],
    rows: Sequence[dict[str, Any]],
) -> Iterator[str]:
    """Warnings about an attack's results, a line each; of a targeted one, none."""
    if rows[0]["targeted"]:
        return
    images, labels, method = images[:IMAGES], labels[:IMAGES], rows[0]["method"]
    steepest = before.steepest
    if steepest is None:
        steepest = steepest_entries(model, images[:GRADIENTS], labels[:GRADIENTS])
    flat = (steepest < FLAT).double().mean().item()
    if flat > MOST_FLAT and method not in {"square", "ensemble"}:
        yield (
            f"the gradient of {flat:.0%} of the images vanishes, and attacks that follow it stay "
            "where they are: try --method ensemble"
        )
    for low, high in pairwise(sorted(rows, key=lambda row: row["epsilon"])):
        if high["accuracy"] > low["accuracy"] + TOLERANCE:
            yield (
                f"epsilon {high['epsilon']:g} leaves more than {low['epsilon']:g} does, so "
                f"{method} misses what is there: try --method ensemble"
            )
    for result, row in zip(results, rows, strict=True):
        yield from _beaten_by_fgsm(model, images, labels, result, row)
        yield from _beaten_by_search(result, row)


def _beaten_by_fgsm(
    model: nn.Module, images: Tensor, labels: Tensor, result: Attacked, row: dict[str, Any]
) -> Iterator[str]:
    """Many steps that find less than a single one."""
    if row["method"] in {"fgsm", "deepfool"}:  # which is not stronger, but goes less far
        return
    options = {"epsilon": row["epsilon"], "norm": row["norm"]}
    batches = _batches(images, labels)
    with untold():
        made = [(attacks.fgsm(model, batch, own, **options), own) for batch, own in batches]
    with frozen(model), torch.no_grad():
        right = torch.cat([model(batch).argmax(1) == own for batch, own in made])
    single = right.double().mean().item()
    left = (result.logits[:IMAGES].argmax(1) == labels).double().mean().item()
    if single < left - TOLERANCE:
        yield (
            f"fgsm leaves {single:.1%} at epsilon {row['epsilon']:g}, less than the {left:.1%} of "
            f"{row['method']}, which should be stronger: the network hides its gradient"
        )


def _beaten_by_search(result: Attacked, row: dict[str, Any]) -> Iterator[str]:
    """Images that only the part without gradients could fool."""
    share = result.tally["square"] / len(result.images)
    if share > TOLERANCE:
        yield (
            f"square, which follows no gradient, fools {share:.1%} at epsilon {row['epsilon']:g} "
            "that the others could not: the network hides its gradient"
        )


def steepest_entries(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The largest entry (n,) of each image's gradient, whatever its sign."""
    with frozen(model):
        gradients = [
            len(batch) * loss_gradient(model, batch, own) for batch, own in _batches(images, labels)
        ]
    return torch.cat(gradients).flatten(1).abs().amax(1)


def _batches(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """As many at once as the attacks take, which keeps memory small."""
    return zip(images.split(BATCH), labels.split(BATCH), strict=True)

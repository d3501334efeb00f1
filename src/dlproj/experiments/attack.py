"""Task 3: images changed a little, so that a trained network sees something else."""

import io
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlproj import attacks
from dlproj.attacks.result import Attacked
from dlproj.data.digits import Images, to_pixels
from dlproj.diagnosis.attack import IMAGES, Subject, diagnose
from dlproj.diagnosis.doubts import find_doubts
from dlproj.errors import DlprojError
from dlproj.experiments.attack_batches import attack_in_turn, chosen_attack, count_classes
from dlproj.experiments.attack_images import MNIST, images_for
from dlproj.experiments.transfer_networks import other_networks
from dlproj.interrupts import interrupts
from dlproj.models.files import DIGITS, load_model
from dlproj.results.attack import SmallestChange
from dlproj.running.context import Context, Outcome
from dlproj.settings import AttackConfig
from dlproj.training.loop import accuracy

ROUNDING = 1e-6  # of single precision, in pixels


def run(config: AttackConfig, context: Context) -> Outcome:
    """Attack the test images at each epsilon, and check what came out."""
    device = context.machine.device
    path = config.model or newest_model()
    model, about = load_model(path, "digits")
    model = attacks.prepare(model.to(device))
    model.register_forward_pre_hook(lambda *_: interrupts.check())  # in threads too
    target = images_for(config, path, about)
    digits = target.digits
    test = Images(digits.test.pictures[: config.limit], digits.test.labels[: config.limit])
    images, labels = to_pixels(test.pictures).to(device), test.labels.to(device)
    context.console.note(f"attacking {path}")
    context.announce(digits.notes)
    context.console.remark(target.remark)
    context.start(config)

    classes = count_classes(model, images)
    if int(labels.max()) >= classes:
        raise DlprojError(f"--model {path}: knows {classes} classes; the images have more")
    before, turns = attack_in_turn(model, images, labels, config, context)
    clean = before.logits
    results, rows = [], []
    for attacked in turns:
        results.append(attacked)
        rows.append(score(attacked, clean, images, labels, config))
        check(rows[-1], attacked.images, accuracy(clean, labels))
        context.console.note(f"epsilon {attacked.epsilon:g}  accuracy {rows[-1]['accuracy']:.4f}")

    doubts = [*find_doubts(model, images, labels, before, results, rows)]
    for doubt in doubts:
        context.console.note(f"warning: {doubt}")
    if config.save_images:
        context.run.write("adversarial.npz", _as_npz(results, labels))
    metrics: dict[str, Any] = {
        "model": str(path),
        "network": about["network"],
        "data": target.source,
        "images": len(labels),
        "clean_accuracy": accuracy(clean, labels),
        "attacks": rows,
        **smallest_change(results[0]),
        "warnings": doubts,
    }
    timing = {"attack_seconds": sum(row["seconds"] for row in rows)}
    if config.diagnose:
        started = time.perf_counter()
        chosen = telling(rows)
        shipped = target.source == MNIST and path != DIGITS
        metrics["diagnosis"] = explain(
            model, digits.train, test, results[chosen], config, context, shipped=shipped
        )
        timing["diagnose_seconds"] = time.perf_counter() - started
    if context.session.plots:
        from dlproj.output.figures import attack as figures  # noqa: PLC0415 - takes a second
        from dlproj.output.figures.fonts import find_fonts  # noqa: PLC0415

        names = about.get("labels") or [str(label) for label in range(classes)]
        context.console.remark(find_fonts(names))
        figures.draw(context.run, test, clean.softmax(1), results, rows, names)
        if config.diagnose:
            figures.draw_diagnosis(context.run, metrics["diagnosis"])
    remarks = (*digits.notes.remarks, *([target.remark] if target.remark else []))
    return Outcome(metrics, timing, remarks)


def explain(
    model: nn.Module,
    train: Images,
    test: Images,
    attacked: Attacked,
    config: AttackConfig,
    context: Context,
    *,
    shipped: bool,
) -> dict[str, Any]:
    """Why the attack works, at one epsilon; `shipped` adds the network that ships to the others."""
    machine, device = context.machine, context.machine.device
    subject = Subject(
        model,
        to_pixels(test.pictures[:IMAGES]).to(device),
        test.labels[:IMAGES].to(device),
        attacked.images[:IMAGES],
        attacked.epsilon,
        config.norm,
        machine,
    )
    attack = chosen_attack(config, attacked.epsilon)
    networks = other_networks(model, train, config, machine, shipped=shipped)
    known = to_pixels(train.pictures).to(device), train.labels.to(device)
    return diagnose(subject, attack, networks, known, seed=config.seed)


def telling(rows: list[dict[str, Any]]) -> int:
    """The row whose epsilon, above 0, leaves nearest to half of the images rightly read."""
    candidates = [index for index, row in enumerate(rows) if row["epsilon"]]
    return min(candidates, key=lambda index: abs(rows[index]["accuracy"] - 0.5))


def newest_model() -> Path:
    """The newest finished run of `train-digits` here, or else the classifier that ships."""
    finished = [
        result.parent
        for result in Path("runs/train-digits").glob("*/result.json")
        if (result.parent / "model.safetensors").exists()
    ]
    return max(finished, key=lambda path: (path / "result.json").stat().st_mtime, default=DIGITS)


def score(
    attacked: Attacked, clean: Tensor, images: Tensor, labels: Tensor, config: AttackConfig
) -> dict[str, Any]:
    """One row of the result.

    `success_rate` is the share of the images read rightly before that are misread now; of a
    targeted attack, the share of all images read as their target.
    """
    predicted = attacked.logits.argmax(1)
    # An image that was misread anyway is no success; a target may be hit from there, too.
    was_right = clean.argmax(1) == labels
    if config.targeted:
        success = (predicted == (labels + 1) % clean.shape[1]).double().mean()
    else:
        success = ((predicted != labels) & was_right).sum().double() / was_right.sum().clamp(min=1)
    change = (attacked.images - images).flatten(1)
    size = change.abs().amax(1) if config.norm == "linf" else change.norm(dim=1)
    return {
        "method": config.method,
        "norm": config.norm,
        "targeted": config.targeted,
        "epsilon": attacked.epsilon,
        "accuracy": accuracy(attacked.logits, labels),
        "success_rate": success.item(),
        "max_perturbation": size.max().item(),
        "seconds": attacked.seconds,
        **({"broken_by": dict(attacked.tally)} if attacked.tally else {}),
    }


def smallest_change(attacked: Attacked) -> dict[str, SmallestChange]:
    """What the smallest changes are like, where the attack looked for them."""
    distances = attacked.distances
    if distances is None:
        return {}
    ordered = distances.double().sort().values
    shares = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)
    # The smallest change that this share of the images has at most; inf where none was found.
    places = (shares * len(ordered)).ceil().long().clamp(min=1) - 1
    found = ordered[places.to(ordered.device)].tolist()
    return {
        "smallest": {
            "found": distances.isfinite().double().mean().item(),
            "quantiles": [size if math.isfinite(size) else None for size in found],
        }
    }


def check(row: dict[str, Any], adversarial: Tensor, clean_accuracy: float) -> None:
    """What must hold of every attack.

    Raises:
        DlprojError: it does not, so that no wrong number is reported.
    """
    # An image plus a change, less the image, is off by a rounding of each.
    rounding = ROUNDING * (1 + row["epsilon"])
    problems = {
        "an image moved further than epsilon": row["max_perturbation"] > row["epsilon"] + rounding,
        "a pixel left [0, 1]": bool(((adversarial < 0) | (adversarial > 1)).any()),
        "epsilon 0 changed the accuracy": row["epsilon"] == 0 and row["accuracy"] != clean_accuracy,
    }
    for problem, found in problems.items():
        if found:
            raise DlprojError(f"the attack's check of itself failed: {problem}")


def _as_npz(results: list[Attacked], labels: Tensor) -> bytes:
    """Labels (n,), and for each epsilon images (n, 28, 28) and predictions (n,).

    Of an attack that looks for the smallest change also its size (n,).
    """
    arrays = {"labels": labels.cpu().numpy(), "epsilons": np.array([r.epsilon for r in results])}
    for index, result in enumerate(results):
        arrays[f"images_{index}"] = result.images[:, 0].cpu().numpy()
        arrays[f"predictions_{index}"] = result.logits.argmax(1).cpu().numpy()
    if results[0].distances is not None:
        arrays["distances"] = results[0].distances.cpu().numpy()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()

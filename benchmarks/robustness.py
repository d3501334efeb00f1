"""What each attack leaves, beside torchattacks: the same model, images and epsilon, in one run.

Usage: .venv/bin/python benchmarks/robustness.py [MODEL] [--epsilon 0.1] [--images 500]

MODEL is a run directory of train-digits; by default the classifier that ships. Both sides take as
many steps and queries; what is random in them differs, so that the last images may too.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from bench import install_peers, machine, write_section
from torch import Tensor

from dlproj import attacks
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.vision import torchvision_datasets
from dlproj.models.files import DIGITS, load_model
from dlproj.training.device import choose_machine
from dlproj.training.loop import accuracy

STEPS, QUERIES = 50, 1000

Attack = Callable[[Tensor, Tensor], Tensor]


def pairs(model: torch.nn.Module, epsilon: float) -> dict[str, tuple[Attack, Attack]]:
    """Each attack as (ours, theirs)."""
    import torchattacks  # noqa: PLC0415

    ours: dict[str, Any] = {"epsilon": epsilon, "generator": torch.Generator().manual_seed(0)}
    theirs: dict[str, Any] = {"eps": epsilon, "steps": STEPS}
    parts = [
        torchattacks.APGD(model, **theirs),
        torchattacks.APGD(model, **theirs, loss="dlr"),
        torchattacks.APGDT(model, **theirs, n_classes=4),
        torchattacks.Square(model, eps=epsilon, n_queries=QUERIES),
    ]
    return {
        "APGD, cross-entropy": (partial(attacks.apgd, model, steps=STEPS, **ours), parts[0]),
        "APGD, DLR": (partial(attacks.apgd, model, steps=STEPS, loss="dlr", **ours), parts[1]),
        "Square": (partial(attacks.square, model, queries=QUERIES, **ours), parts[3]),
        "all in turn": (
            partial(attacks.ensemble, model, steps=STEPS, queries=QUERIES, **ours),
            torchattacks.MultiAttack(parts),
        ),
    }


def left(model: torch.nn.Module, attack: Attack, images: Tensor, labels: Tensor) -> str:
    """Accuracy under an attack, and how long it took."""
    started = time.perf_counter()
    made = attack(images, labels)
    seconds = time.perf_counter() - started
    with torch.no_grad():
        return f"{accuracy(model(made), labels):.1%} | {seconds:.0f} s"


def main() -> None:
    """Attack by turns and print the table."""
    parser = argparse.ArgumentParser(description="Compare the attacks with torchattacks.")
    parser.add_argument("model", type=Path, nargs="?", default=DIGITS)
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--images", type=int, default=500)
    arguments = parser.parse_args()
    install_peers("torchattacks==3.5.1", dependencies=False)
    install_peers("requests")
    torchvision_datasets()  # torchattacks imports torchvision, which needs our help to load
    choose_machine("cpu", "fp32")
    model, _ = load_model(arguments.model)
    test = load_digits().test
    images, labels = to_pixels(test.pictures[: arguments.images]), test.labels[: arguments.images]
    lines = [
        "| attack | dlproj | time | torchattacks | time |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, both in pairs(model, arguments.epsilon).items():
        cells = " | ".join(left(model, attack, images, labels) for attack in both)
        lines.append(f"| {name} | {cells} |")
    write_section(
        f"What attacks leave of {arguments.model.stem} at ε = {arguments.epsilon:g}",
        f"`.venv/bin/python benchmarks/robustness.py {arguments.model} --epsilon "
        f"{arguments.epsilon:g} --images {arguments.images}`, on {machine()}. Accuracy on "
        f"the first {arguments.images:,} test images; {STEPS} steps, {QUERIES:,} queries.\n\n"
        + "\n".join(lines),
    )


if __name__ == "__main__":
    main()

"""The attacks beside torchattacks: the same model, images and epsilon, in one run.

Usage: .venv/bin/python benchmarks/attacks.py [--images 10000] [--repeats 3]

The peer is installed into benchmarks/peers, apart from everything else. Both work on the shipped
classifier in fp32, on the same batches of 250 images, by turns; images per second are medians.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from dlproj import attacks
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.vision import torchvision_datasets
from dlproj.experiments.trained import DIGITS, load_model
from dlproj.training.device import choose_machine

PEERS = Path(__file__).parent / "peers"
EPSILON, STEPS, STEP_SIZE, BATCH = 0.2, 10, 0.03, 250

Attack = Callable[[Tensor, Tensor], Tensor]


def install() -> None:
    """Install torchattacks into a folder of its own, without touching what is installed here."""
    if not (PEERS / "torchattacks").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*command, "--target", str(PEERS), "torchattacks==3.5.1"], check=True)
    sys.path.insert(0, str(PEERS))
    torchvision_datasets()  # torchattacks imports torchvision, which needs our help to load


def pairs(model: torch.nn.Module) -> dict[str, tuple[Attack, Attack]]:
    """Each attack as (ours, theirs)."""
    import torchattacks  # noqa: PLC0415

    theirs = {"eps": EPSILON, "alpha": STEP_SIZE, "steps": STEPS}
    bim = partial(attacks.bim, model, epsilon=EPSILON, steps=STEPS, step_size=STEP_SIZE)
    return {
        "FGSM": (
            partial(attacks.fgsm, model, epsilon=EPSILON),
            torchattacks.FGSM(model, eps=EPSILON),
        ),
        "BIM": (bim, torchattacks.BIM(model, **theirs)),
        "PGD from the image": (bim, torchattacks.PGD(model, **theirs, random_start=False)),
    }


def timed(attack: Attack, images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Adversarial images, and images per second."""
    started = time.perf_counter()
    made = [
        attack(batch, aims)
        for batch, aims in zip(images.split(BATCH), labels.split(BATCH), strict=True)
    ]
    return torch.cat(made), len(images) / (time.perf_counter() - started)


def main() -> None:
    """Attack by turns and print the table."""
    parser = argparse.ArgumentParser(description="Time the attacks beside torchattacks.")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    install()
    choose_machine("cpu", "fp32")
    model, _ = load_model(DIGITS)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    test = load_digits().test
    images, labels = to_pixels(test.pictures[: arguments.images]), test.labels[: arguments.images]
    print("| attack | dlproj | torchattacks | ratio | pixels that differ | by at most |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, both in pairs(model).items():
        speeds: tuple[list[float], list[float]] = ([], [])
        made: list[Tensor] = []
        for _ in range(arguments.repeats):
            made = []
            for attack, own in zip(both, speeds, strict=True):
                adversarial, speed = timed(attack, images, labels)
                made.append(adversarial)
                own.append(speed)
        ours, theirs = (statistics.median(own) for own in speeds)
        difference = (made[0] - made[1]).abs()
        print(
            f"| {name} | {ours:,.0f}/s | {theirs:,.0f}/s | {ours / theirs:.2f} | "
            f"{int((difference > 0).sum()):,} of {difference.numel():,} | {difference.max():.1g} |"
        )


if __name__ == "__main__":
    main()

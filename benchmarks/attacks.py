"""The attacks beside torchattacks and foolbox: the same model, images and epsilon, in one run.

Usage: .venv/bin/python benchmarks/attacks.py [--images 10000] [--repeats 3]

The peers are installed into benchmarks/peers. All work on the shipped classifier in fp32 and take
turns, in batches of as many images as `dlproj attack` takes; images per second are medians. That
command makes the network ready for iterated attacks first (`attacks.prepare`), and so does this,
within the time; it rounds otherwise, so our images are also compared without it.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from bench import install_peers, machine, write_section
from torch import Tensor

from dlproj import attacks
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.vision import torchvision_datasets
from dlproj.experiments.trained import DIGITS, load_model
from dlproj.settings import AttackConfig
from dlproj.training.device import choose_machine

EPSILON, STEPS, STEP_SIZE = 0.2, 10, 0.03
BATCH = AttackConfig.batch_size

Attack = Callable[[Tensor, Tensor], Tensor]


def torchattacks_makers(model: torch.nn.Module) -> dict[str, Attack]:
    """FGSM, BIM and PGD from the image itself, by torchattacks."""
    torchvision_datasets()  # it imports torchvision, which needs our help to load
    import torchattacks  # noqa: PLC0415

    iterated = {"eps": EPSILON, "alpha": STEP_SIZE, "steps": STEPS}
    makers = {
        "FGSM": torchattacks.FGSM(model, eps=EPSILON),
        "BIM": torchattacks.BIM(model, **iterated),
        "PGD from the image": torchattacks.PGD(model, **iterated, random_start=False),
    }
    return {name: partial(in_batches, attack) for name, attack in makers.items()}


def foolbox_makers(model: torch.nn.Module) -> dict[str, Attack]:
    """The same by foolbox."""
    import foolbox  # noqa: PLC0415

    bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    iterated = {"abs_stepsize": STEP_SIZE, "steps": STEPS, "random_start": False}
    makers = {
        "FGSM": foolbox.attacks.LinfFastGradientAttack(random_start=False),
        "BIM": foolbox.attacks.LinfBasicIterativeAttack(**iterated),
        "PGD from the image": foolbox.attacks.LinfPGD(**iterated),
    }
    return {
        name: partial(in_batches, partial(_run_foolbox, attack, bounded))
        for name, attack in makers.items()
    }


def _run_foolbox(attack: Callable[..., tuple[Tensor, Tensor, Tensor]], model: object,
                 images: Tensor, labels: Tensor) -> Tensor:  # fmt: skip
    return attack(model, images, labels, epsilons=EPSILON)[1]


def our_makers(model: torch.nn.Module, *, prepared: bool) -> dict[str, Attack]:
    """The same by dlproj, on the model itself or on a copy that is prepared each time."""
    iterated: dict[str, Any] = {"epsilon": EPSILON, "steps": STEPS, "step_size": STEP_SIZE}
    methods = {
        "FGSM": partial(attacks.fgsm, epsilon=EPSILON),
        "BIM": partial(attacks.bim, **iterated),
        "PGD from the image": partial(attacks.pgd, **iterated, random_start=False),
    }
    ready = attacks.prepare if prepared else lambda model: model
    return {name: partial(_run_ours, method, model, ready) for name, method in methods.items()}


def _run_ours(method: Callable[..., Tensor], model: torch.nn.Module,
              ready: Callable[[torch.nn.Module], torch.nn.Module],
              images: Tensor, labels: Tensor) -> Tensor:  # fmt: skip
    return in_batches(partial(method, ready(model)), images, labels)


def in_batches(attack: Attack, images: Tensor, labels: Tensor) -> Tensor:
    """Adversarial images of all images."""
    batches = zip(images.split(BATCH), labels.split(BATCH), strict=True)
    return torch.cat([attack(batch, aims) for batch, aims in batches])


def timed(attack: Attack, images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Adversarial images, and images per second."""
    started = time.perf_counter()
    made = attack(images, labels)
    return made, len(images) / (time.perf_counter() - started)


def compare(
    makers: dict[str, Attack], images: Tensor, labels: Tensor, repeats: int
) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Median images per second, and the images, of each package."""
    speeds: dict[str, list[float]] = {package: [] for package in makers}
    made = {}
    for _ in range(repeats):
        for package, attack in makers.items():
            made[package], speed = timed(attack, images, labels)
            speeds[package].append(speed)
    return {package: statistics.median(own) for package, own in speeds.items()}, made


def main() -> None:
    """Attack by turns and write the table."""
    parser = argparse.ArgumentParser(description="Time the attacks beside their peers.")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    install_peers("torchattacks==3.5.1", dependencies=False)
    install_peers("foolbox==3.3.4", "requests")
    choose_machine("cpu", "fp32")
    model, _ = load_model(DIGITS)
    test = load_digits().test
    images, labels = to_pixels(test.pictures[: arguments.images]), test.labels[: arguments.images]
    packages = {
        "dlproj": our_makers(model, prepared=True),
        "torchattacks": torchattacks_makers(model),
        "foolbox": foolbox_makers(model),
        "not prepared": our_makers(model, prepared=False),
    }
    lines = [
        "| attack | dlproj | torchattacks | foolbox | ratio | differ | not prepared | differ |",
        "| --- " + "| ---: " * 7 + "|",
    ]
    for name in packages["dlproj"]:
        makers = {package: attacks[name] for package, attacks in packages.items()}
        speed, made = compare(makers, images, labels, arguments.repeats)
        peers = ("torchattacks", "foolbox")
        differing = {
            own: ", ".join(f"{int((made[own] != made[peer]).sum()):,}" for peer in peers)
            for own in ("dlproj", "not prepared")
        }
        cells = [
            name,
            *(f"{speed[package]:,.0f}/s" for package in ("dlproj", *peers)),
            ", ".join(f"{speed['dlproj'] / speed[peer]:.2f}" for peer in peers),
            differing["dlproj"],
            f"{speed['not prepared']:,.0f}/s",
            differing["not prepared"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    write_section(
        "Attacks on the shipped classifier",
        f"`.venv/bin/python benchmarks/attacks.py --images {arguments.images} --repeats "
        f"{arguments.repeats}`, on {machine()}. ε = {EPSILON}, {STEPS} steps of {STEP_SIZE}, fp32, "
        f"batches of {BATCH}. Ratios, and how many of {images.numel():,} pixels differ, to "
        f"torchattacks and to foolbox; the last two columns without preparation.\n\n"
        + "\n".join(lines),
    )


if __name__ == "__main__":
    main()

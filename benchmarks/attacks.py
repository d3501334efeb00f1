"""The attacks beside torchattacks and foolbox: the same model, images and epsilon, in one run.

Usage: .venv/bin/python benchmarks/attacks.py [--images 10000] [--repeats 3]

The peers are installed into benchmarks/peers. All work on the shipped classifier in fp32, in
batches of as many images as `dlproj attack` takes, and take turns, each in a process of its own as
its users start it: ours with the memory and the threads that `dlproj` sets up, theirs as they come.
Images per second are medians. As our command does, this attacks a batch on each core
(`side_by_side`) of a network that is made ready within the time (`attacks.prepare`). FGSM is done
at one epsilon, and at those of the command's own sweep.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from bench import install_peers, machine, write_section
from torch import Tensor

from dlproj import attacks
from dlproj.__main__ import WAITING
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.vision import torchvision_datasets
from dlproj.models.files import DIGITS, load_model
from dlproj.settings import AttackConfig
from dlproj.store.runs import write_file
from dlproj.store.weights import pack, unpack
from dlproj.training.device import Machine, choose_machine
from dlproj.training.side_by_side import side_by_side

EPSILON, STEPS, STEP_SIZE = 0.2, 10, 0.03
SWEEP = [epsilon for epsilon in AttackConfig.epsilon if epsilon]
SWEEP_NAME = f"FGSM at {len(SWEEP)} epsilons"
BATCH = AttackConfig.batch_size
PEERS = ("torchattacks", "foolbox")

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
    sweep = [torchattacks.FGSM(model, eps=epsilon) for epsilon in SWEEP]
    makers[SWEEP_NAME] = lambda *batch: torch.cat([attack(*batch) for attack in sweep])
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
    runs = {name: (attack, [EPSILON]) for name, attack in makers.items()}
    runs[SWEEP_NAME] = (makers["FGSM"], SWEEP)
    return {
        name: partial(in_batches, partial(_run_foolbox, attack, epsilons, bounded))
        for name, (attack, epsilons) in runs.items()
    }


def _run_foolbox(
    attack: Callable[..., tuple[object, list[Tensor], object]],
    epsilons: list[float],
    model: object,
    images: Tensor,
    labels: Tensor,
) -> Tensor:
    return torch.cat(attack(model, images, labels, epsilons=epsilons)[1])


def our_makers(model: torch.nn.Module, machine: Machine) -> dict[str, Attack]:
    """The same by dlproj, which makes the model ready each time."""
    iterated: dict[str, Any] = {"epsilon": EPSILON, "steps": STEPS, "step_size": STEP_SIZE}
    methods: dict[str, Callable[..., Tensor]] = {
        "FGSM": partial(attacks.fgsm, epsilon=EPSILON),
        "BIM": partial(attacks.bim, **iterated),
        "PGD from the image": partial(attacks.pgd, **iterated, random_start=False),
        SWEEP_NAME: _sweep,
    }
    return {name: partial(_run_ours, method, model, machine) for name, method in methods.items()}


def _sweep(model: torch.nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return attacks.fgsm_sweep(model, images, labels, epsilons=SWEEP).flatten(0, 1)


def _run_ours(
    method: Callable[..., Tensor],
    model: torch.nn.Module,
    machine: Machine,
    images: Tensor,
    labels: Tensor,
) -> Tensor:
    attack = partial(method, attacks.prepare(model))
    batches = zip(images.split(BATCH), labels.split(BATCH), strict=True)
    return torch.cat([*side_by_side([partial(attack, *batch) for batch in batches], machine)])


def in_batches(attack: Attack, images: Tensor, labels: Tensor) -> Tensor:
    """Adversarial images of all images."""
    batches = zip(images.split(BATCH), labels.split(BATCH), strict=True)
    return torch.cat([attack(batch, aims) for batch, aims in batches])


def timed(attack: Attack, images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Adversarial images, and how many in a second, after a batch that does not count."""
    attack(images[:BATCH], labels[:BATCH])
    started = time.perf_counter()
    made = attack(images, labels)
    return made, len(made) / (time.perf_counter() - started)


def work(package: str, count: int, folder: Path) -> None:
    """Attack in this process: images into the folder, images per second onto standard output."""
    model, _ = load_model(DIGITS)
    test = load_digits().test
    images, labels = to_pixels(test.pictures[:count]), test.labels[:count]
    if package == "dlproj":
        makers = our_makers(model, choose_machine("cpu", "fp32"))
    else:
        makers = torchattacks_makers(model) if package == "torchattacks" else foolbox_makers(model)
    results = {name: timed(attack, images, labels) for name, attack in makers.items()}
    write_file(folder / package, pack({name: made for name, (made, _) in results.items()}, {}))
    print(json.dumps({name: speed for name, (_, speed) in results.items()}))


def measure(package: str, count: int, folder: Path) -> dict[str, float]:
    """Images per second of each attack of a package, in a process of its own."""
    own = WAITING if package == "dlproj" else {}
    done = subprocess.run(
        [sys.executable, __file__, "--images", str(count), "--work", package, str(folder)],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=True,
    )
    speeds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(package, speeds, file=sys.stderr)
    return speeds


def main() -> None:
    """Attack by turns and write the table."""
    parser = argparse.ArgumentParser(description="Time the attacks beside their peers.")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    install_peers("torchattacks==3.5.1", dependencies=False)
    install_peers("foolbox==3.3.4", "requests")
    if arguments.work:
        work(arguments.work[0], arguments.images, Path(arguments.work[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder, packages = Path(name), ("dlproj", *PEERS)
        rounds = [
            {package: measure(package, arguments.images, folder) for package in packages}
            for _ in range(arguments.repeats)
        ]
        made = {package: unpack((folder / package).read_bytes())[0] for package in packages}
    head = ("attack", "dlproj", *PEERS, "ratio", "differ")
    lines = [f"| {' | '.join(head)} |", "| --- " + "| ---: " * 5 + "|"]
    for name in rounds[0]["dlproj"]:
        speed = {
            package: statistics.median(measured[package][name] for measured in rounds)
            for package in packages
        }
        differing = [int((made["dlproj"][name] != made[peer][name]).sum()) for peer in PEERS]
        cells = [
            name,
            *(f"{speed[package]:,.0f}/s" for package in packages),
            ", ".join(f"{speed['dlproj'] / speed[peer]:.2f}" for peer in PEERS),
            ", ".join(f"{count:,}" for count in differing),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    write_section(
        "Attacks on the shipped classifier",
        f"`.venv/bin/python benchmarks/attacks.py --images {arguments.images} --repeats "
        f"{arguments.repeats}`, on {machine()}. ε = {EPSILON}, {STEPS} steps of {STEP_SIZE}, fp32, "
        f"batches of {BATCH}. Adversarial images per second, ratios, and how many of all pixels "
        "differ, to torchattacks and to foolbox.\n\n" + "\n".join(lines),
    )


if __name__ == "__main__":
    main()

"""AutoAttack beside pyautoattack, its authors' code, and torchattacks: what is left, what it takes.

Usage: .venv/bin/python benchmarks/autoattack.py [MODEL] [--epsilon 0.1] [--images 1000]

MODEL is a run directory of train-digits or a file; by default the classifier that ships. All
attack the same images by turns, the standard version in linf, and the table is written after each
turn. What is random in them differs. The AutoAttack of torchattacks takes 10 steps instead of 100;
its four parts with 100 stand beside it. With one thread, seconds are of the processor, so that
other work on the machine counts little.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from bench import install_peers, machine, write_section
from torch import Tensor, nn

from dlproj import attacks
from dlproj.data.batches import epoch_generator
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.vision import torchvision_datasets
from dlproj.models.files import DIGITS, load_model
from dlproj.training.device import choose_machine
from dlproj.training.side_by_side import side_by_side

BATCH = 125  # of ours; a turn is one for each thread

Attack = Callable[[Tensor, Tensor], Tensor]


def contestants(model: nn.Module, epsilon: float, threads: int) -> dict[str, Attack]:
    """Each package's AutoAttack, as its documentation says it is called."""
    import pyautoattack  # noqa: PLC0415
    import torchattacks  # noqa: PLC0415

    prepared, here = attacks.prepare(model), choose_machine("cpu", "fp32", threads)

    def ours(images: Tensor, labels: Tensor) -> Tensor:
        batches = [*zip(images.split(BATCH), labels.split(BATCH), strict=True)]
        tallies = [Counter[str]() for _ in batches]
        jobs = [
            partial(
                attacks.autoattack,
                prepared,
                *batch,
                epsilon=epsilon,
                generator=epoch_generator(0, number),
                tally=tallies[number],
            )
            for number, batch in enumerate(batches)
        ]
        made = torch.cat([*side_by_side(jobs, here)])
        for tally in tallies:
            TALLY.update(tally)
        return made

    given: dict[str, Any] = {"eps": epsilon, "steps": 100}

    def authors(images: Tensor, labels: Tensor) -> Tensor:
        attack = pyautoattack.AutoAttack(model, norm="Linf", eps=epsilon, seed=0, device="cpu")
        made, _ = attack.run_standard_evaluation(images, labels, batch_size=len(images))
        return made

    return {
        "dlproj": ours,
        "pyautoattack": authors,
        "torchattacks": torchattacks.AutoAttack(model, eps=epsilon, seed=0, n_classes=10),
        "torchattacks, 100 steps": torchattacks.MultiAttack(
            [
                torchattacks.APGD(model, **given),
                torchattacks.APGDT(model, **given, n_classes=10),
                torchattacks.FAB(model, **given, n_classes=10, multi_targeted=True),
                torchattacks.Square(model, eps=epsilon, n_queries=5000),
            ]
        ),
    }


TALLY: Counter[str] = Counter()


def table(right: dict[str, list[Tensor]], seconds: dict[str, float]) -> str:
    """What each leaves, its time beside ours, and on how many images it ends otherwise."""
    lines = ["| | left | seconds | of ours | other images |", "| --- | ---: | ---: | ---: | ---: |"]
    mine = torch.cat(right["dlproj"])
    for name, parts in right.items():
        left = torch.cat(parts)
        lines.append(
            f"| {name} | {left.double().mean():.2%} | {seconds[name]:,.0f} "
            f"| {seconds[name] / seconds['dlproj']:.2f} | {int((left != mine).sum())} |"
        )
    first = ", ".join(f"{name} {count}" for name, count in TALLY.items())
    return "\n".join([*lines, "", f"First to fool an image, of dlproj's parts: {first}."])


def main() -> None:
    """Attack by turns and print the table."""
    parser = argparse.ArgumentParser(description="Compare AutoAttack with its peers.")
    parser.add_argument("model", type=Path, nargs="?", default=DIGITS)
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turn", type=int, help="images in a turn, by default 125 a thread")
    parser.add_argument("--peers", type=Path, help="folder that the peers are installed in")
    arguments = parser.parse_args()
    if arguments.peers:
        sys.path.append(str(arguments.peers))
    else:
        install_peers("torchattacks==3.5.1", "pyautoattack==0.2.0", dependencies=False)
        install_peers("requests")
    torchvision_datasets()  # torchattacks imports torchvision, which needs our help to load
    where = machine()  # which asks for all threads
    torch.set_num_threads(arguments.threads)
    model = load_model(arguments.model)[0].eval()
    test = load_digits().test
    images, labels = to_pixels(test.pictures[: arguments.images]), test.labels[: arguments.images]
    everyone = contestants(model, arguments.epsilon, arguments.threads)
    right: dict[str, list[Tensor]] = {name: [] for name in everyone}
    seconds = dict.fromkeys(everyone, 0.0)
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    turn = arguments.turn or BATCH * arguments.threads
    for batch, own in zip(images.split(turn), labels.split(turn), strict=True):
        for name, attack in everyone.items():
            started = clock()
            made = attack(batch, own)
            seconds[name] += clock() - started
            with torch.no_grad():
                right[name].append(model(made).argmax(1) == own)
        done = sum(map(len, right["dlproj"]))
        kind = "of the processor" if arguments.threads == 1 else "on the clock"
        write_section(
            f"AutoAttack on {arguments.model.stem} at ε = {arguments.epsilon:g}",
            f"`.venv/bin/python benchmarks/autoattack.py {arguments.model.name} --epsilon "
            f"{arguments.epsilon:g} --images {done} --turn {turn}`, on {where}. The standard "
            f"version in linf, by turns, {arguments.threads} thread(s); seconds {kind}.\n\n"
            f"{table(right, seconds)}",
        )


if __name__ == "__main__":
    main()

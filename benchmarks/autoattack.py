"""AutoAttack beside pyautoattack, its authors' code, and torchattacks: what is left, what it takes.

Usage: .venv/bin/python benchmarks/autoattack.py [MODEL] [--epsilon 0.1] [--images 1000]

MODEL is a run directory of train-digits or a file; by default the classifier that ships. All
attack the same images, the standard version in linf, in batches of 125 on a core each; seconds are
of the processor, so that other work on the machine counts little. What is random in them differs.
The AutoAttack of torchattacks takes 10 steps instead of 100; its four parts with 100 stand beside
it. With `--beside N`, the peers attack the first N images alone. The table is written after each
batch; with `--keep FOLDER` what is done stays there, and the next call goes on from it.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from bench import PEERS as PEERS_FOLDER
from bench import install_peers, machine, write_section
from torch import Tensor, nn

from dlproj import attacks
from dlproj.data.batches import epoch_generator
from dlproj.data.digits import load_digits, to_pixels
from dlproj.data.vision import torchvision_datasets
from dlproj.models.files import DIGITS, load_model

BATCH = 125
OURS = "dlproj"
PEERS = ("pyautoattack", "torchattacks", "torchattacks, 100 steps")

Attack = Callable[[Tensor, Tensor], Tensor]


@dataclass
class Piece:
    """What one package did with one batch."""

    right: list[bool]  # of each image, whether it is still read rightly
    seconds: float
    tally: dict[str, int]  # of our parts: the images that each was the first to fool


def attack_of(
    name: str, model: nn.Module, epsilon: float, number: int, tally: Counter[str]
) -> Attack:
    """A package's AutoAttack on a batch, as its documentation says it is called."""
    if name == OURS:
        # As `dlproj attack --method autoattack` does it.
        prepared, generator = attacks.prepare(model), epoch_generator(0, number)
        return lambda images, labels: attacks.autoattack(
            prepared, images, labels, epsilon=epsilon, generator=generator, tally=tally
        )
    if name == "pyautoattack":
        import pyautoattack  # noqa: PLC0415

        authors = pyautoattack.AutoAttack(model, norm="Linf", eps=epsilon, seed=0, device="cpu")
        return lambda images, labels: authors.run_standard_evaluation(
            images, labels, batch_size=len(images)
        )[0]
    import torchattacks  # noqa: PLC0415

    if name == "torchattacks":
        whole: Attack = torchattacks.AutoAttack(model, eps=epsilon, seed=0, n_classes=10)
        return whole
    given: dict[str, Any] = {"eps": epsilon, "steps": 100}
    parts: Attack = torchattacks.MultiAttack(
        [
            torchattacks.APGD(model, **given),
            torchattacks.APGDT(model, **given, n_classes=10),
            torchattacks.FAB(model, **given, n_classes=10, multi_targeted=True),
            torchattacks.Square(model, eps=epsilon, n_queries=5000),
        ]
    )
    return parts


def set_up(peers: str) -> None:
    """Make a process ready for pieces."""
    sys.path.append(peers)
    torchvision_datasets()  # torchattacks imports torchvision, which needs our help to load
    torch.set_num_threads(1)


def attack_piece(path: Path, epsilon: float, name: str, number: int) -> Piece:
    """Attack one batch."""
    model, test = load_model(path)[0].eval(), load_digits().test
    batch = slice(number * BATCH, (number + 1) * BATCH)
    images, labels = to_pixels(test.pictures[batch]), test.labels[batch]
    tally: Counter[str] = Counter()
    torch.manual_seed(number)
    started = time.process_time()
    made = attack_of(name, model, epsilon, number, tally)(images, labels)
    seconds = time.process_time() - started
    with torch.no_grad():
        right = model(made).argmax(1) == labels
    return Piece(right.tolist(), seconds, dict(tally))


def table(pieces: dict[tuple[str, int], Piece]) -> str:
    """What each leaves of the images that it and dlproj have attacked, and how they compare."""
    lines = [
        "| | images | left | by dlproj | other images | seconds | by dlproj | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in (OURS, *PEERS):
        both = [number for at, number in sorted(pieces) if at == name and (OURS, number) in pieces]
        if not both:
            continue
        (left, seconds), (mine, own) = (
            summed([pieces[which, number] for number in both]) for which in (name, OURS)
        )
        lines.append(
            f"| {name} | {len(left):,} | {left.double().mean():.2%} | {mine.double().mean():.2%} "
            f"| {int((left != mine).sum())} | {seconds:,.0f} | {own:,.0f} | {seconds / own:.2f} |"
        )
    tally: Counter[str] = Counter()
    for (name, _), piece in sorted(pieces.items()):
        tally.update(piece.tally if name == OURS else {})
    first = ", ".join(f"{name} {count}" for name, count in tally.items())
    return "\n".join([*lines, "", f"First to fool an image, of dlproj's parts: {first}."])


def summed(pieces: list[Piece]) -> tuple[Tensor, float]:
    """Which images are still read rightly, (n,), and the seconds."""
    right = torch.tensor([right for piece in pieces for right in piece.right])
    return right, sum(piece.seconds for piece in pieces)


class Kept:
    """Pieces in a folder of files, for this network and epsilon; without a folder, nowhere."""

    def __init__(self, folder: Path | None, model: Path, epsilon: float) -> None:
        self.folder = folder / f"{model.stem} {epsilon:g}" if folder else None

    def read(self, name: str, number: int) -> Piece | None:
        """What an earlier call has done."""
        file = self.folder and self.folder / f"{name} {number}.json"
        return Piece(**json.loads(file.read_text())) if file and file.exists() else None

    def write(self, name: str, number: int, piece: Piece) -> None:
        """Keep it for later calls."""
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{name} {number}.json").write_text(json.dumps(asdict(piece)))


def main() -> None:
    """Attack batch by batch, and print the table after each."""
    parser = argparse.ArgumentParser(description="Compare AutoAttack with its peers.")
    parser.add_argument("model", type=Path, nargs="?", default=DIGITS)
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--beside", type=int, help="images that the peers attack; by default all")
    parser.add_argument("--keep", type=Path, help="folder of what is done")
    given = parser.parse_args()
    beside = given.images if given.beside is None else given.beside
    install_peers("torchattacks==3.5.1", "pyautoattack==0.2.0", dependencies=False)
    install_peers("requests")
    where, cores = machine(), torch.get_num_threads()
    wanted = [(OURS, number) for number in range(-(-given.images // BATCH))]
    wanted += [(name, number) for number in range(-(-beside // BATCH)) for name in PEERS]
    kept = Kept(given.keep, given.model, given.epsilon)
    pieces = {at: piece for at in wanted if (piece := kept.read(*at))}
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, spawned, set_up, (str(PEERS_FOLDER),)) as pool:
        jobs = {
            pool.submit(attack_piece, given.model, given.epsilon, *at): at
            for at in wanted
            if at not in pieces
        }
        for job in as_completed(jobs):
            at = jobs[job]
            pieces[at] = job.result()
            kept.write(*at, pieces[at])
            done = sum(name == OURS for name, _ in pieces) * BATCH
            write_section(
                f"AutoAttack on {given.model.stem} at ε = {given.epsilon:g}",
                f"`.venv/bin/python benchmarks/autoattack.py {given.model.name} --epsilon "
                f"{given.epsilon:g} --images {done} --beside {beside}`, on {where}. The standard "
                f"version in linf, batches of {BATCH} on a core each; seconds of the processor.\n\n"
                f"{table(pieces)}",
            )


if __name__ == "__main__":
    main()

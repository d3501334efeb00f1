"""What more networks would bring the recipe best: mistakes of its networks, alone and together.

Usage: .venv/bin/python benchmarks/members.py RUNS

RUNS is the folder that `dlproj train-digits --recipe best --validation 10000 --seeds 4 --out RUNS`
makes. Each of its runs holds two networks. All are shown the images that were held out, and every
choice of 1, 2, 3, … of them votes. The table goes to RESULTS.md.
"""

import argparse
from itertools import combinations
from pathlib import Path
from statistics import mean

import torch
from bench import machine, write_section
from torch import Tensor, nn

from dlproj.data.digits import Images, load_digits, to_pixels
from dlproj.models.digits import CROSS, SQUARE, mean_of_looks, mean_probability
from dlproj.models.files import load_model
from dlproj.training.device import choose_machine

CENTRE = [(1, 1)]
PLACES = {"one place": CENTRE, "five places": CROSS, "nine places": SQUARE}


def networks_of(runs: Path) -> list[nn.Module]:
    """All networks of all runs in a folder."""
    models = [load_model(file.parent)[0] for file in sorted(runs.rglob("model.safetensors"))]
    return [column for model in models for column in model.get_submodule("columns").children()]


@torch.inference_mode()
def read(network: nn.Module, images: Images, places: list[tuple[int, int]]) -> Tensor:
    """Log-probabilities (images, classes) of the mean over the places."""
    with choose_machine().autocast():
        parts = [mean_of_looks(network, to_pixels(p), places) for p in images.pictures.split(500)]
    return torch.cat(parts)


def mistakes(read_by: list[Tensor], labels: Tensor) -> int:
    """How many images the mean of the probabilities misreads."""
    return int((mean_probability(read_by).argmax(1) != labels).sum())


def table(by_places: dict[str, list[Tensor]], labels: Tensor) -> list[str]:
    """Lines of a table: the mean of the mistakes over all choices of so many networks."""
    lines = [f"| networks together | {' | '.join(by_places)} |", "| ---: |" + " ---: |" * 3]
    for count in range(1, len(by_places["nine places"]) + 1):
        means = [
            mean(mistakes([*some], labels) for some in combinations(all_of_them, count))
            for all_of_them in by_places.values()
        ]
        lines.append(f"| {count} | {' | '.join(f'{value:.1f}' for value in means)} |")
    return lines


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path)
    networks, held_out = networks_of(parser.parse_args().runs), load_digits(validation=10_000)
    labels = held_out.validation.labels
    by_places = {
        name: [read(network, held_out.validation, places) for network in networks]
        for name, places in PLACES.items()
    }
    wrong = torch.stack([made.argmax(1) != labels for made in by_places["nine places"]])
    head = (
        f"`dlproj train-digits --recipe best --validation 10000 --seeds {len(networks) // 2} --out "
        "RUNS` trained two networks a seed, and `.venv/bin/python benchmarks/members.py RUNS` "
        f"counted, on {machine()}. Mistakes in the 10,000 images that were held out; the mean over "
        f"all choices among {len(networks)} networks.\n"
    )
    foot = (
        f"\nEvery network misreads the same {int(wrong.all(0).sum())} of the images, and "
        f"{int(wrong.any(0).sum())} are misread by at least one (nine places)."
    )
    title = "What more networks would bring the recipe best"
    write_section(title, "\n".join([head, *table(by_places, labels), foot]))


if __name__ == "__main__":
    main()

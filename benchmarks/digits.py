"""How fast `train-digits` is, beside the plain PyTorch loop on the same network and images.

Usage: .venv/bin/python benchmarks/digits.py [--repeats 3]

The plain loop is what a course hands out: a DataLoader that converts and normalises each image
as it is asked for, fp32, memory laid out as torch does by default. Both train one epoch of the
report's network with its learning rate, momentum and batch size, each in a process of its own,
by turns, so that a noisy machine is noisy for both. Times are medians over the repeats; repeat n
has seed n. The table goes into benchmarks/RESULTS.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import torch
from bench import machine, write_section

PLAIN = "plain PyTorch loop"
RECIPES = {"dlproj, report": "report", "dlproj, standard": "standard"}


def plain(seed: int) -> dict[str, float]:
    """One epoch as a course would write it. Returns its accuracy and seconds."""
    import torch.nn.functional as F  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415
    from torch.utils.data import DataLoader, Dataset  # noqa: PLC0415

    from dlproj.data.digits import Images, load_digits  # noqa: PLC0415
    from dlproj.data.vision import torchvision_datasets  # noqa: PLC0415

    torchvision_datasets()
    from PIL import Image  # noqa: PLC0415
    from torchvision import transforms  # noqa: PLC0415, TID251

    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )

    class Converted(Dataset[Any]):
        """As torchvision.datasets.MNIST does it."""

        def __init__(self, images: Images) -> None:
            self.pictures, self.labels = images.pictures.numpy(), images.labels.tolist()

        def __len__(self) -> int:
            return len(self.labels)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return transform(Image.fromarray(self.pictures[index])), self.labels[index]

    torch.manual_seed(seed)
    digits = load_digits()
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.92)
    started = time.perf_counter()
    for images, labels in DataLoader(Converted(digits.train), 64, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    seconds = time.perf_counter() - started
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in DataLoader(Converted(digits.test), 64):
            right += int((model(images).argmax(1) == labels).sum())
    return {"accuracy": right / len(digits.test), "train": seconds}


def dlproj(recipe: str, seed: int) -> dict[str, float]:
    """One run of the command, with its figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dlproj", "train-digits", "--recipe", recipe]
        done = subprocess.run(
            [*command, "--seed", str(seed), "--json", "--quiet", "--out", f"{folder}/run"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    document = json.loads(done.stdout)
    return {
        "accuracy": document["metrics"]["test_accuracy"],
        "train": document["timing"]["train_seconds"],
    }


def timed(name: str, seed: int) -> dict[str, float]:
    """One measurement, with the time of its whole process."""
    started = time.perf_counter()
    if name == PLAIN:
        code = [sys.executable, __file__, "--plain", str(seed)]
        done = subprocess.run(code, capture_output=True, text=True, check=True)
        measured: dict[str, float] = json.loads(done.stdout)
    else:
        measured = dlproj(RECIPES[name], seed)
    return measured | {"process": time.perf_counter() - started}


def table(measured: dict[str, list[dict[str, float]]]) -> str:
    """The measurements as Markdown."""
    base = {key: statistics.median(m[key] for m in measured[PLAIN]) for key in ("train", "process")}
    lines = [
        "| | test accuracy (mean, each seed) | training | ratio | whole process | ratio |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, runs in measured.items():
        accuracies = [run["accuracy"] for run in runs]
        each = ", ".join(f"{100 * value:.2f}" for value in accuracies)
        train, process = (statistics.median(run[key] for run in runs) for key in base)
        lines.append(
            f"| {name} | {statistics.mean(accuracies):.2%} ({each}) | {train:.1f} s | "
            f"{train / base['train']:.2f} | {process:.1f} s | {process / base['process']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure by turns and print the table."""
    parser = argparse.ArgumentParser(description="Time train-digits beside the plain loop.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain is not None:
        print(json.dumps(plain(arguments.plain)))
        return
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in (PLAIN, *RECIPES)}
    for seed in range(arguments.repeats):
        for name, runs in measured.items():
            runs.append(timed(name, seed))
            print(f"{name}, seed {seed}: {runs[-1]}", file=sys.stderr)
    write_section(
        "The report's network, one epoch of MNIST",
        f"`.venv/bin/python benchmarks/digits.py --repeats {arguments.repeats}`, on {machine()}. "
        f"Medians of {arguments.repeats} runs by turns.\n\n{table(measured)}",
    )


if __name__ == "__main__":
    main()

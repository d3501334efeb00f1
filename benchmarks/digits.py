"""How fast `train-digits` is, beside the plain PyTorch loop on the same network and images.

Usage: .venv/bin/python benchmarks/digits.py [--repeats 3] [--fast 20] [--best 3] [--frameworks]

The plain loop is what a course hands out: a DataLoader that converts and normalises each image
as it is asked for, fp32, memory laid out as torch does by default. It, `report` and `standard`
train one epoch of the report's network with its learning rate, momentum and batch size; `fast`
and `best` are beside them with networks of their own. --frameworks also trains the report's network
in Keras and Flax (benchmarks/digits_peers.py; 2 GB are installed for them). Each training is a
process of its own, by turns, so that a noisy machine is noisy for all; times are medians; repeat n
has seed n. GFLOP are those of the trained network's matrix products and convolutions, forward and
back; the share is of the rate at which the machine multiplies large matrices. The tables go into
benchmarks/RESULTS.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from bench import PEERS, machine, write_section
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from dlproj.configuration.resolve import resolve
from dlproj.data.digits import Images, load_digits
from dlproj.data.vision import torchvision_datasets
from dlproj.experiments.digits import make_network
from dlproj.settings import DigitsConfig
from dlproj.training.device import choose_machine
from dlproj.training.loop import predict

PLAIN = "plain PyTorch loop"
SAME_NETWORK = (PLAIN, "report", "standard")
FRAMEWORKS = {"Keras": "keras", "Keras in bf16": "keras-bf16", "Flax": "flax"}
IMAGES = 60_000


class Converted(Dataset[tuple[torch.Tensor, int]]):
    """Images converted one at a time, as torchvision.datasets.MNIST does it."""

    def __init__(self, images: Images) -> None:
        torchvision_datasets()  # torchvision needs our help to load
        from torchvision import transforms  # noqa: PLC0415, TID251

        self.pictures, self.labels = images.pictures.numpy(), images.labels.tolist()
        normalize = transforms.Normalize((0.1307,), (0.3081,))
        self.transform = transforms.Compose([transforms.ToTensor(), normalize])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.pictures[index])), self.labels[index]


def plain_training(seed: int) -> tuple[nn.Module, Iterator[None]]:
    """The report's network, and the steps of one epoch as a course would write it."""
    torch.manual_seed(seed)
    train = Converted(load_digits().train)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1600, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.92)

    def steps() -> Iterator[None]:
        for images, labels in DataLoader(train, 64, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
            yield

    return model, steps()


def plain(seed: int) -> dict[str, float]:
    """One epoch of that. Returns its accuracy and seconds."""
    model, steps = plain_training(seed)
    test = Converted(load_digits().test)
    started = time.perf_counter()
    for _ in steps:
        pass
    seconds = time.perf_counter() - started
    model.eval()
    with torch.no_grad():
        right = sum(
            int((model(images).argmax(1) == labels).sum())
            for images, labels in DataLoader(test, 64)
        )
    return {"accuracy": right / len(test), "train": seconds}


def dlproj(recipe: str, seed: int) -> dict[str, float]:
    """One run of the command, with its figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dlproj", "train-digits", "--recipe", recipe]
        done = subprocess.run(
            [*command, "--seed", str(seed), "--json", "--quiet", "--out", f"{folder}/run"],
            capture_output=True,
            text=True,
            check=True,
        )
    document = json.loads(done.stdout)
    return {
        "accuracy": document["metrics"]["test_accuracy"],
        "train": document["timing"]["train_seconds"],
    }


def framework(name: str, seed: int) -> dict[str, float]:
    """One epoch of the report's network in another framework, which is installed once."""
    folder, images = PEERS / "frameworks", PEERS / "mnist.npz"
    if not folder.exists():
        wanted = ["tensorflow-cpu", "keras", "jax", "flax", "optax"]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
        subprocess.run([*command, *wanted], check=True)
    if not images.exists():
        digits = load_digits()
        pictures = {"train": digits.train, "test": digits.test}
        arrays: dict[str, Any] = {
            f"{part}_pictures": own.pictures.numpy() for part, own in pictures.items()
        }
        arrays |= {f"{part}_labels": own.labels.numpy() for part, own in pictures.items()}
        np.savez(images, **arrays)
    script = Path(__file__).with_name("digits_peers.py")
    done = subprocess.run(
        [sys.executable, str(script), FRAMEWORKS[name], str(seed), str(images)],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def timed(name: str, seed: int) -> dict[str, float]:
    """One measurement, with the time of its whole process."""
    started = time.perf_counter()
    if name == PLAIN:
        code = [sys.executable, __file__, "--plain", str(seed)]
        done = subprocess.run(code, capture_output=True, text=True, check=True)
        measured: dict[str, float] = json.loads(done.stdout)
    elif name in FRAMEWORKS:
        measured = framework(name, seed)
    else:
        measured = dlproj(name, seed)
    measured["process"] = time.perf_counter() - started
    print(f"{name}, seed {seed}: {measured}", file=sys.stderr)
    return measured


def tflop(name: str) -> float:
    """Operations of a training, in 10^12."""
    own = name in DigitsConfig.recipes
    config = resolve(DigitsConfig, {"recipe": name if own else "report"})
    with FlopCounterMode(display=False) as counter:
        logits = make_network(config, 10)(torch.rand(64, 1, 28, 28))
        F.cross_entropy(logits, torch.zeros(64, dtype=torch.long)).backward()
    return float(counter.get_total_flops()) / 64 * IMAGES * config.epochs / 1e12


def matrix_rate(precision: str) -> float:
    """Operations in a second, in 10^12, of a product of two large matrices."""
    computer = choose_machine("cpu", precision)
    matrix, times = torch.rand(2048, 2048), []
    layer = torch.nn.Linear(2048, 2048, bias=False)
    for _ in range(8):
        started = time.perf_counter()
        predict(layer, matrix, machine=computer, batch_size=2048)
        times.append(time.perf_counter() - started)
    return 2 * 2048**3 / min(times) / 1e12


def table(measured: dict[str, list[dict[str, float]]]) -> str:
    """The measurements as Markdown."""
    base = {key: statistics.median(m[key] for m in measured[PLAIN]) for key in ("train", "process")}
    in_fp32 = {*SAME_NETWORK[:2], "Keras", "Flax"}
    rates = {name: matrix_rate("fp32" if name in in_fp32 else "auto") for name in measured}
    lines = [
        "| | test accuracy | training | ratio | whole process | ratio | TFLOP | of matrix rate |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, runs in measured.items():
        accuracies = [100 * run["accuracy"] for run in runs]
        spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
        train, process = (statistics.median(run[key] for run in runs) for key in base)
        lines.append(
            f"| {name} | {statistics.mean(accuracies):.2f} ± {spread:.2f} % "
            f"({min(accuracies):.2f} to {max(accuracies):.2f}, {len(runs)} seeds) | {train:.1f} s "
            f"| {train / base['train']:.3f} | {process:.1f} s | {process / base['process']:.2f} "
            f"| {tflop(name):.2f} | {tflop(name) / train / rates[name]:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure by turns and write the table."""
    parser = argparse.ArgumentParser(description="Time train-digits beside the plain loop.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fast", type=int, default=20, help="seeds of the recipe fast")
    parser.add_argument("--best", type=int, default=3, help="seeds of the recipe best")
    parser.add_argument("--frameworks", action="store_true", help="also Keras and Flax")
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain is not None:
        print(json.dumps(plain(arguments.plain)))
        return
    seeds = dict.fromkeys(SAME_NETWORK, arguments.repeats)
    if arguments.frameworks:
        seeds |= dict.fromkeys(FRAMEWORKS, arguments.repeats)
    seeds |= {"fast": arguments.fast, "best": arguments.best}
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in seeds if seeds[name]}
    for seed in range(max(seeds.values())):
        for name, runs in measured.items():
            if seed < seeds[name]:
                runs.append(timed(name, seed))
    rates = ", ".join(f"{1000 * matrix_rate(p):,.0f} GFLOP/s in {p}" for p in ("fp32", "bf16"))
    write_section(
        "Training on MNIST",
        f"`.venv/bin/python benchmarks/digits.py --repeats {arguments.repeats} --fast "
        f"{arguments.fast} --best {arguments.best}{' --frameworks' * arguments.frameworks}`, "
        f"on {machine()}; it multiplies matrices at "
        f"{rates}. Medians of runs by turns; the whole process has start-up, evaluation and "
        f"figures in it.\n\n{table(measured)}",
    )


if __name__ == "__main__":
    main()

"""What the benchmarks share: peers apart from everything else, a training, the results file."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F

from dlproj.data.batches import ShuffledBatches
from dlproj.data.digits import load_digits, to_pixels
from dlproj.experiments.digits import make_training
from dlproj.settings import DigitsConfig
from dlproj.training.device import choose_machine
from dlproj.training.loop import Step, Training, fit

RESULTS = Path(__file__).parent / "RESULTS.md"
PEERS = Path(__file__).parent / "peers"


def install_peers(*requirements: str, dependencies: bool = True) -> None:
    """Install packages into benchmarks/peers, behind what is installed here already."""
    done = PEERS / "installed.txt"
    have = done.read_text().split() if done.exists() else []
    wanted = [requirement for requirement in requirements if requirement not in have]
    if wanted:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade"]
        alone = [] if dependencies else ["--no-deps"]
        subprocess.run([*command, *alone, "--target", str(PEERS), *wanted], check=True)
        done.write_text("\n".join([*have, *wanted]) + "\n")
    sys.path.append(str(PEERS))


def digits_training(config: DigitsConfig) -> tuple[Training, Iterator[Step]]:
    """What `train-digits` trains, and its steps, without what the command shows and saves."""
    here, images = choose_machine("cpu", config.precision), load_digits().train
    batches = ShuffledBatches(
        images.pictures,
        images.labels,
        batch_size=config.batch_size,
        seed=config.seed,
        prepare=lambda pictures, _: to_pixels(pictures),
    )
    training = make_training(config, 10, len(batches), here.device)
    loss_fn = partial(F.cross_entropy, label_smoothing=config.label_smoothing)
    return training, fit(training, batches, loss_fn=loss_fn, epochs=config.epochs, machine=here)


def machine() -> str:
    """This machine in a line."""
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    bf16 = " with bf16" if choose_machine("cpu").precision == "bf16" else ""
    instructions = torch.backends.cpu.get_cpu_capability() + bf16
    return (
        f"{len(os.sched_getaffinity(0))} cores of {names[0]} ({instructions}), "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"
    )


def write_section(title: str, text: str) -> None:
    """Print a section, and put it into RESULTS.md in the place of the one with the same title."""
    section = f"## {title}\n\n{text.strip()}\n"
    print(section)
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Measurements\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(old):
        new = pattern.sub(lambda _: section + "\n", old)
    else:
        new = f"{old.rstrip()}\n\n{section}"
    RESULTS.write_text(new.rstrip() + "\n", encoding="utf-8")

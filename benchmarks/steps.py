"""Where the time of a training step of `train-digits` goes, operation by operation.

Usage: .venv/bin/python benchmarks/steps.py

The plain PyTorch loop of benchmarks/digits.py and the recipes on the same network, each in a
process of its own. Each operation's time is its median in 100 steps that torch's profiler watches
one at a time. The rest is what a whole step takes beyond them, the median of 100 that it does not
watch, by turns with those: Python, and in the plain loop images converted one at a time. Last comes
what the matrix products and convolutions would take at the rate at which the machine multiplies
large matrices. The table goes into benchmarks/RESULTS.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bench import digits_training, machine, write_section
from digits import IMAGES, PLAIN, SAME_NETWORK, matrix_rate, plain_training, tflop
from torch.profiler import ProfilerActivity, profile

from dlproj.__main__ import WAITING
from dlproj.configuration.resolve import resolve
from dlproj.settings import DigitsConfig

STEPS = 100
BATCH = DigitsConfig(recipe="standard").batch_size
KINDS = {  # the first of an operation and those that called it decides
    "Optimizer.": "optimiser",
    "aten::convolution_backward": "convolutions, backward",
    "aten::mkldnn_convolution": "convolutions, forward",
    "aten::native_batch_norm": "BatchNorm",
    "aten::max_pool2d": "pooling",
    "aten::relu": "ReLU",
    "aten::threshold_backward": "ReLU",
    "aten::linear": "linear layers",
    "aten::addmm": "linear layers",
    "aten::mm": "linear layers",
    "aten::": "conversions, loss and images",
}


def kind_of(event: Any) -> str | None:
    """What an operation is for; None for those that torch itself does not name."""
    names = []
    while event:
        names.append(event.name)
        event = event.cpu_parent
    for start, kind in KINDS.items():
        if any(name.startswith(start) for name in names):
            return kind
    return None


def operations(steps: Iterator[Any]) -> dict[str, float]:
    """Milliseconds of a step, by what they are for."""
    alike, times = defaultdict(list), []
    for _ in range(STEPS):
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            next(steps)
        for place, event in enumerate(profiler.events() or []):
            alike[place, kind_of(event)].append(event.self_cpu_time_total)
        next(steps)  # as usual again
        started = time.perf_counter()
        next(steps)
        times.append(1000 * (time.perf_counter() - started))
    found: dict[str, float] = dict.fromkeys(KINDS.values(), 0.0)
    for (_, kind), own in alike.items():
        if kind:
            found[kind] += statistics.median(own) * len(own) / STEPS / 1000
    return found | {"all": statistics.median(times)}


def measured(name: str) -> dict[str, float]:
    """The operations of one training, in a process of its own."""
    own = {} if name == PLAIN else WAITING
    done = subprocess.run(
        [sys.executable, __file__, "--work", name],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(name, found, file=sys.stderr)
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """The measurements as Markdown."""
    limits = {
        name: 1000
        * tflop(name)
        / IMAGES
        * BATCH
        / matrix_rate("auto" if name == "standard" else "fp32")
        for name in found
    }
    rows = {
        kind: [f"{one[kind]:.2f} ({one[kind] / one['all']:.0%})" for one in found.values()]
        for kind in dict.fromkeys(KINDS.values())
    }
    rests = [2 * one["all"] - sum(one.values()) for one in found.values()]
    rows["the rest"] = [
        f"{rest:.2f} ({rest / one['all']:.0%})"
        for rest, one in zip(rests, found.values(), strict=True)
    ]
    rows["all"] = [f"{one['all']:.2f}" for one in found.values()]
    rows["at the matrix rate"] = [f"{limit:.2f}" for limit in limits.values()]
    head = [f"| ms of a step | {' | '.join(found)} |", "| --- " + "| ---: " * len(found) + "|"]
    return "\n".join([*head, *(f"| {name} | {' | '.join(row)} |" for name, row in rows.items())])


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="Show where the time of a training step goes.")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    name = parser.parse_args().work
    if name == PLAIN:
        print(json.dumps(operations(plain_training(0)[1])))
    elif name:
        print(json.dumps(operations(digits_training(resolve(DigitsConfig, {"recipe": name}))[1])))
    else:
        found = {name: measured(name) for name in SAME_NETWORK}
        write_section(
            "Where the time of a step goes",
            f"`.venv/bin/python benchmarks/steps.py`, on {machine()}. Batches of {BATCH}, medians "
            f"of {STEPS} steps.\n\n{table(found)}",
        )


if __name__ == "__main__":
    main()

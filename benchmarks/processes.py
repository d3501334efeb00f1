"""What a training step costs in one, two and four processes of a thread each.

Usage: .venv/bin/python benchmarks/processes.py [--repeats 5] [--smoke]

Each process takes its share of every batch, and the processes add up gradients and the statistics
of BatchNorm (all-reduce). A step is timed as it is, and once more with every all-reduce left out:
the difference is what communication costs, waiting included. Beside them stand a model's numbers.

The model: a sum over P processes is one message to each of the others, which takes a seconds; of a
large tensor it is two, one for each half of the work, and 2 (P - 1) / P of its n bytes leave each
process (Thakur et al. 2005) at b bytes a second. a and b are measured with two processes that
compute between two sums, as a training does. A step takes its share of what one process computes,
plus its messages. The model then says what eight machines would do, connected at 10 and 100 Gbit/s,
each with one thread: b is the line's, a the measured one.
The tables go into benchmarks/RESULTS.md; --smoke does little and writes nothing.
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
from pathlib import Path
from typing import Any

import torch
from bench import machine, write_section

from dlproj.configuration.resolve import resolve
from dlproj.data.digits import load_digits
from dlproj.experiments.digits import make_batches, make_loss, make_training
from dlproj.settings import DigitsConfig
from dlproj.training import parallel
from dlproj.training.all_reduce import WHOLE, SocketAllReduce, connect
from dlproj.training.device import choose_machine
from dlproj.training.loop import accuracy, fit

RECIPES = ("standard", "best")
PROCESSES = (1, 2, 4)
COLUMNS = (
    *("recipe", "processes", "step", "speed-up", "without messages", "communication"),
    *("sums", "sent", "model"),
)
LINES = {"10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9}
SMALL, LARGE = 512, 3_200_000  # bytes of the two tensors that a and b come from


def worker(recipe: str, steps: int, out: str, *, silent: bool) -> None:
    """Be one of the processes; the first writes the median step and what it sent."""
    sent: list[int] = []
    begin = SocketAllReduce.begin

    def counted(self: SocketAllReduce, values: torch.Tensor) -> Callable[[], None]:
        if self.peers:
            sent.append(values.nbytes)
        return (lambda: None) if silent else begin(self, values)

    SocketAllReduce.begin = counted  # type: ignore[method-assign]
    with parallel.member() as group:
        here = choose_machine("cpu", "auto", 1, group)
        config = resolve(DigitsConfig, {"recipe": recipe})
        batches = make_batches(config, load_digits())
        training = make_training(config, 10, len(batches), here.device)
        running = fit(
            training, batches, loss_fn=make_loss(config), epochs=1, machine=here, score=accuracy
        )
        times, last = [], time.perf_counter()
        for step in running:
            times.append(time.perf_counter() - last)
            last += times[-1]
            if step.step == steps:
                break
        if group.rank == 0:
            found = {
                "step": statistics.median(times[steps // 5 :]),
                "sums": len(sent) / steps,
                "messages": (len(sent) + sum(size > WHOLE for size in sent)) / steps,
                "bytes": sum(sent) / steps,
            }
            Path(out).write_text(json.dumps(found))


def messages(out: str, rounds: int) -> None:
    """Time the sum of a small and of a large tensor, each after some computing."""
    with parallel.member() as group:
        torch.set_num_threads(1)
        assert group.store  # noqa: S101 - for the type checker
        sums = connect(group.store, "benchmark", group.rank, range(group.size))
        found, factor = {}, torch.rand(200, 200)
        for size in (SMALL, LARGE):
            values, times = torch.zeros(size // 4), []
            for _ in range(rounds):
                for _ in range(5):
                    factor @ factor
                started = time.perf_counter()
                sums.begin(values)()
                times.append(time.perf_counter() - started)
            found[size] = statistics.median(times)
        if group.rank == 0:
            Path(out).write_text(json.dumps(found))


def launch(processes: int, *arguments: object) -> dict[str, Any]:
    """This script in several processes; what the first of them found."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable]
        if processes > 1:
            command += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        done = subprocess.run(
            [*command, __file__, "--out", str(out), *map(str, arguments)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(done.stderr)
        found: dict[str, Any] = json.loads(out.read_text())
        return found


def predicted(one: float, count: float, size: float, processes: int, a: float, b: float) -> float:
    """Seconds of a step by the model, where each process has a core of its own."""
    others = processes - 1
    return one / processes + count * others * a + 2 * others / processes * size / b


def main() -> None:
    """Measure by turns, and print the tables."""
    parser = argparse.ArgumentParser(description="Time a step in several processes.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--out", help=argparse.SUPPRESS)
    parser.add_argument("--recipe", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=150, help=argparse.SUPPRESS)
    parser.add_argument("--silent", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.out:
        if arguments.recipe:
            worker(arguments.recipe, arguments.steps, arguments.out, silent=arguments.silent)
        else:
            messages(arguments.out, arguments.steps)
        return
    steps, repeats = (10, 1) if arguments.smoke else (150, arguments.repeats)
    found: dict[Any, list[dict[str, Any]]] = {}
    pings = []
    for _ in range(repeats):
        pings.append(launch(2, "--steps", 2 * steps))
        for recipe in RECIPES:
            for processes in PROCESSES:
                for silent in ["--silent"], []:
                    if silent and processes == 1:
                        continue
                    options = ["--recipe", recipe, "--steps", steps, *silent]
                    key = (recipe, processes, bool(silent))
                    found.setdefault(key, []).append(launch(processes, *options))
                    print(key, found[key][-1], file=sys.stderr)
    text = tables(found, pings)
    if arguments.smoke:
        print(text)
        return
    command = f"`.venv/bin/python benchmarks/processes.py --repeats {repeats}`"
    about = f"{command}, on {machine()}. Medians of {repeats} by turns; one thread a process."
    write_section("A step in several processes", f"{about}\n\n{text}")


def tables(found: dict[Any, list[dict[str, Any]]], pings: list[dict[str, Any]]) -> str:
    """What was measured beside the model, and what the model says of eight machines."""
    small, large = (statistics.median(ping[str(size)] for ping in pings) for size in (SMALL, LARGE))
    a, b = small, LARGE / (large - 2 * small)

    def median(recipe: str, processes: int, silent: bool, what: str) -> float:
        return statistics.median(run[what] for run in found[recipe, processes, silent])

    lines = [
        f"a = {1e6 * a:.0f} µs a message, b = {b / 1e9:.2f} GB/s.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    ahead = ["| recipe | line | step of 8 machines | speed-up |", "| --- | --- | ---: | ---: |"]
    for recipe in RECIPES:
        one = median(recipe, 1, False, "step")
        lines.append(f"| `{recipe}` | 1 | {1e3 * one:.1f} ms | 1.00 | | | | | |")
        for processes in PROCESSES[1:]:
            step, alone = (median(recipe, processes, silent, "step") for silent in (False, True))
            sums, count, size = (
                median(recipe, processes, False, what) for what in ("sums", "messages", "bytes")
            )
            model = predicted(one, count, size, processes, a, b)
            cores = len(os.sched_getaffinity(0))
            lines.append(
                f"| `{recipe}` | {processes} | {1e3 * step:.1f} ms | {one / step:.2f} | "
                f"{1e3 * alone:.1f} ms | {max(0, 1 - alone / step):.0%} | {sums:.0f} | "
                f"{size / 1e6:.2f} MB | "
                + (f"{1e3 * model:.1f} ms |" if processes <= cores else "too few cores |")
            )
            if processes == max(PROCESSES):
                for line, rate in LINES.items():
                    eight = predicted(one, count, size, 8, a, rate)
                    ahead.append(
                        f"| `{recipe}` | {line} | {1e3 * eight:.1f} ms | {one / eight:.2f} |"
                    )
    return "\n".join([*lines, "", "By the model:", "", *ahead])


if __name__ == "__main__":
    main()

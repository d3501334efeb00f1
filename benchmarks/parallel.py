"""What several processes bring: to one training (torchrun), and to a study of several trainings.

Usage: .venv/bin/python benchmarks/parallel.py [--images 10000] [--repeats 3] [--smoke]

One training: `train-digits --recipe report` on the first images of MNIST, by itself and with two
and four processes of torchrun, by turns. Its batches stay the same, so that this is strong scaling:
efficiency is the speed-up divided by the number of processes, or of cores where there are fewer.

A study: `train-digits --seeds 4` on the same images with one thread for each training, one at a
time, two at a time, and on a Dask cluster of two workers on this machine, by turns. All networks
must come out the same, byte for byte; the time is that of the whole command. --smoke does each
once, on few images, and writes nothing. The tables go into benchmarks/RESULTS.md.
"""

import argparse
import gzip
import hashlib
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from bench import machine, write_section

from dlproj.data.digits import Images, load_digits

SEEDS = 4
TRAIN = ("train-digits", "--recipe", "report", "--no-plots", "--quiet", "--json")


def write_images(folder: Path, count: int) -> None:
    """The first training images, and all for the test, in MNIST's own layout."""
    digits = load_digits()

    def write(name: str, tensor: torch.Tensor) -> None:
        header = struct.pack(f">I{tensor.ndim}I", 0x0800 | tensor.ndim, *tensor.shape)
        data = header + tensor.to(torch.uint8).numpy().tobytes()
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(data, 1))

    def write_both(name: str, images: Images, count: int) -> None:
        write(f"{name}-images-idx3", images.pictures[:count])
        write(f"{name}-labels-idx1", images.labels[:count])

    write_both("train", digits.train, count)
    write_both("t10k", digits.test, 2000)


def timed(*command: object) -> tuple[float, dict[str, Any]]:
    """Seconds of a command, and the JSON document that it prints."""
    started = time.perf_counter()
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return seconds, json.loads(done.stdout)


def one_training(folder: Path, repeats: int) -> str:
    """The table of torchrun's processes."""
    cores = len(os.sched_getaffinity(0))
    found: dict[int, list[tuple[float, float, float]]] = {1: [], 2: [], 4: []}
    for number in range(repeats):
        for processes, runs in found.items():
            launch = [
                sys.executable,
                "-m",
                "torch.distributed.run",
                f"--nproc-per-node={processes}",
            ]
            launch += ["-m", "dlproj"]
            seconds, document = timed(
                *launch,
                *TRAIN,
                "--data",
                folder / "images",
                "--seed",
                number,
                "--threads",
                max(1, cores // processes),
                "--out",
                folder / f"train-{processes}-{number}",
            )
            train = document["timing"]["train_seconds"]
            runs.append((train, seconds, document["metrics"]["test_accuracy"]))
            print(f"{processes} processes: {runs[-1]}", file=sys.stderr)
    lines = [
        "| processes | threads | training | speed-up | efficiency | whole command | accuracy |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    base = statistics.median(train for train, _, _ in found[1])
    for processes, runs in found.items():
        train, whole, accuracy = (statistics.median(column) for column in zip(*runs, strict=True))
        lines.append(
            f"| {processes} | {max(1, cores // processes)} | {train:.1f} s | {base / train:.2f} | "
            f"{base / train / min(processes, cores):.0%} | {whole:.1f} s | {accuracy:.2%} |"
        )
    return "\n".join(lines)


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a Dask scheduler on this machine, with workers of one thread."""
    from distributed import LocalCluster  # noqa: PLC0415 - the extra `cluster`

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as local:
        yield local.scheduler_address


def study(folder: Path, repeats: int) -> str:
    """The table of engines."""
    with cluster(2) as address:
        engines = {
            "1 job, in the command's own process": ("--jobs", 1),
            "2 jobs, processes": ("--jobs", 2),
            "Dask, 2 workers of 1 thread": ("--cluster", address),
        }
        found: dict[str, list[float]] = {name: [] for name in engines}
        digests: dict[str, str] = {}
        for number in range(repeats):
            for name, flags in engines.items():
                out = folder / f"study-{len(digests)}"
                seconds, _ = timed(
                    sys.executable,
                    "-m",
                    "dlproj",
                    *TRAIN,
                    "--data",
                    folder / "images",
                    "--seeds",
                    SEEDS,
                    "--threads",
                    1,
                    *flags,
                    "--out",
                    out,
                )
                found[name].append(seconds)
                digests[f"{name} {number}"] = digest(out)
                print(f"{name}: {seconds:.1f} s", file=sys.stderr)
    same = "all the same bytes" if len({*digests.values()}) == 1 else "DIFFERENT"
    base = statistics.median(next(iter(found.values())))
    lines = [
        f"| {SEEDS} trainings | whole command | speed-up | weights |",
        "| --- | ---: | ---: | --- |",
    ]
    for name, times in found.items():
        seconds = statistics.median(times)
        lines.append(f"| {name} | {seconds:.1f} s | {base / seconds:.2f} | {same} |")
    return "\n".join(lines)


def digest(study: Path) -> str:
    """Of the weights of all seeds."""
    files: Sequence[Path] = sorted(study.glob("seed-*/model.safetensors"))
    assert len(files) == SEEDS  # noqa: S101
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description="Time torchrun, and the engines of a study.")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    images, repeats = (640, 1) if arguments.smoke else (arguments.images, arguments.repeats)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        write_images(folder / "images", images)
        training, several = one_training(folder, repeats), study(folder, repeats)
    if arguments.smoke:
        print(training, several, sep="\n\n")
        return
    command = f"`.venv/bin/python benchmarks/parallel.py --images {images} --repeats {repeats}`"
    about = f"{command}, on {machine()}. Medians of {repeats} by turns; {images:,} images."
    write_section("One training, several processes", f"{about}\n\n{training}")
    write_section("One study, several trainings at once", f"{about}\n\n{several}")


if __name__ == "__main__":
    main()

"""Broken files for every reader: a right result or a one-line error, and nothing else.

Usage: .venv/bin/python benchmarks/fuzz.py [--inputs 100000] [--reader NAME ...]

Each input is a sound file, changed at random: bytes flipped, set, cut out, doubled or exchanged
with another file's, lengths in headers made huge or negative. A finding is any exception but
DlprojError, more than ten seconds, or an address space that grows by more than 1 GB. The same
seed gives the same inputs; tests/test_hostile.py runs the first of them.
"""

import argparse
import gzip
import io
import json
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlproj.configuration.resolve import resolve, to_dict
from dlproj.data.digits import load_digits
from dlproj.data.images.idx import read_idx
from dlproj.data.pictures import read_picture
from dlproj.data.regression import load_curve
from dlproj.data.text.files import read_lines
from dlproj.data.words import encode, load_words
from dlproj.errors import DlprojError
from dlproj.models.digits import LeNet
from dlproj.models.files import load_model
from dlproj.models.langid import CharGRU
from dlproj.models.regression import CurveMLP
from dlproj.output.console import Console
from dlproj.reports.finished import load_run
from dlproj.settings import DigitsConfig, RegressionConfig
from dlproj.store.runs import seal
from dlproj.store.weights import pack, pack_model, unpack
from dlproj.tools.languages import predict_languages
from dlproj.training.checkpoint import pack_training, unpack_training
from dlproj.training.loop import Training
from dlproj.training.schedule import make_schedule

GIGABYTE = 1 << 30
SECONDS = 10
LENGTHS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

Reader = Callable[[Path], object]


def idx_file() -> bytes:
    """Two images."""
    return struct.pack(">4I", 0x803, 2, 28, 28) + bytes(range(256)) * 6 + bytes(32)


def npz_file() -> bytes:
    """Words as the course has them."""
    arrays = {"chars": np.array(list("ab")), "language_names": np.array(["A", "B"])}
    for split in ("train", "dev", "test"):
        arrays[f"{split}_x"] = np.array([[0, 1, -1], [1, -1, -1]])
        arrays[f"{split}_y"] = np.array([0, 1])
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def picture_file(kind: str) -> bytes:
    """A cross on paper."""
    pixels = np.full((40, 40), 255, np.uint8)
    pixels[18:22, 5:35] = pixels[5:35, 18:22] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def state_dict_file() -> bytes:
    """LeNet's state dict, each of its tensors one number repeated."""
    buffer, weights = io.BytesIO(), LeNet().state_dict()
    torch.save({name: torch.ones(1).expand(value.shape) for name, value in weights.items()}, buffer)
    return buffer.getvalue()


def a_training() -> Training:
    """A small training."""
    model = CurveMLP()
    optimizer = torch.optim.Adam(model.parameters())
    return Training(model, optimizer, make_schedule("constant", optimizer, 1))


def resume(path: Path) -> None:
    """Read a checkpoint."""
    unpack_training(path.read_bytes(), a_training())


@cache
def a_gru() -> CharGRU:
    """A small network with arguments."""
    return CharGRU(letters=3, classes=2, hidden=4)


@cache
def a_checkpoint() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the rest of a checkpoint."""
    return unpack(pack_training(a_training()))


def sealed_weights(text: bytes) -> bytes:
    """Weights beside a changed description, with the checksum that goes with both."""
    return pack(a_gru().state_dict(), parsed(text))


def sealed_checkpoint(text: bytes) -> bytes:
    """A checkpoint of a changed state, with the checksum that goes with it."""
    return pack(a_checkpoint()[0], parsed(text))


def sealed_result(text: bytes) -> bytes:
    """A changed result with its checksum."""
    return json.dumps(seal(parsed(text))).encode()


def parsed(text: bytes) -> dict[str, Any]:
    """The JSON object that a changed text is; when it is none, the text in an object."""
    try:
        value = json.loads(text, parse_constant=str)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"network": text.decode("latin-1")}


def weights_about() -> bytes:
    """What stands beside the weights of a GRU."""
    return json.dumps(
        {
            "network": "CharGRU",
            "arguments": a_gru().arguments,
            "labels": ["a", "b"],
            "alphabet": "abc",
        }
    ).encode()


def checkpoint_about() -> bytes:
    """The state in a checkpoint, without its tensors."""
    return json.dumps(a_checkpoint()[1]).encode()


def result_text() -> bytes:
    """The result of a regression."""
    config = to_dict(resolve(RegressionConfig, {}))
    names = ("test_loss", "test_mse", "max_abs_error", "validation_loss", "parameters")
    result = {
        "schema_version": 1,
        "command": "train-regression",
        "version": "0",
        "run_dir": "run",
        "config": config,
        "metrics": dict.fromkeys(names, 0.5),
        "timing": {"train_seconds": 1.0},
        "environment": {"torch": "2", "threads": 1},
        "files": {"config.json": "0"},
    }
    return json.dumps(result).encode()


def name_language(path: Path) -> None:
    """Have a network name the language of a word."""
    predict_languages(
        ["abc"],
        model=path,
        top=None,
        phrases=False,
        device="cpu",
        console=Console(quiet=True, json=True),
        json=True,
    )


def words_csv() -> bytes:
    """Two languages."""
    return "\n".join(f"żółw{n},pl\nword{n},en" for n in range(40)).encode()


def images_npz() -> bytes:
    """Two images to learn from, two to be tested on."""
    buffer, images = io.BytesIO(), np.arange(2 * 64, dtype=np.uint8).reshape(2, 8, 8)
    labels = np.arange(2)
    np.savez(
        buffer, allow_pickle=False, x_train=images, y_train=labels, x_test=images, y_test=labels
    )
    return buffer.getvalue()


def images_csv() -> bytes:
    """Images of 4x4 pixels."""
    rows = ["label," + ",".join(f"pixel{n}" for n in range(16))]
    rows += [f"{n % 3}," + ",".join(str((n * p) % 256) for p in range(16)) for n in range(40)]
    return "\n".join(rows).encode()


# Changed before they are sealed: behind a checksum that matches, anything may stand.
SEALED: dict[str, Callable[[bytes], bytes]] = {
    "sealed weights": sealed_weights,
    "sealed checkpoint": sealed_checkpoint,
    "sealed result": sealed_result,
}
READERS: dict[str, tuple[Reader, str, list[bytes]]] = {
    "IDX": (lambda path: read_idx(path, 3), "images", [idx_file()]),
    "gz": (lambda path: read_idx(path, 3), "images.gz", [gzip.compress(idx_file())]),
    "npz": (load_words, "words.npz", [npz_file()]),
    "CSV of words": (load_words, "words.csv", [words_csv()]),
    "CSV of points": (
        lambda path: load_curve("sin", path),
        "points.csv",
        ["\n".join(f"{n},{n * 0.5}" for n in range(30)).encode()],
    ),
    "npz of images": (lambda path: load_digits(folder=path), "images.npz", [images_npz()]),
    "CSV of images": (lambda path: load_digits(folder=path), "images.csv", [images_csv()]),
    "word file": (
        lambda path: encode(read_lines(path) or ["x"], "abc"),
        "words.txt",
        ["through\nmañana\r\nyhdeksän\n".encode()],
    ),
    "configuration": (
        lambda path: resolve(DigitsConfig, {}, path),
        "config.json",
        [json.dumps(to_dict(resolve(DigitsConfig, {}))).encode()],
    ),
    "weights": (load_model, "m.safetensors", [pack_model(CurveMLP(), {"labels": ["a"]})]),
    "checkpoint": (resume, "training.safetensors", [pack_training(a_training())]),
    "sealed weights": (name_language, "m.safetensors", [weights_about()]),
    "sealed checkpoint": (resume, "training.safetensors", [checkpoint_about()]),
    "sealed result": (lambda path: load_run(path.parent), "result.json", [result_text()]),
    "state dict": (load_model, "m.pt", [state_dict_file()]),
    "image": (
        read_picture,
        "p.png",
        [picture_file(kind) for kind in ("PNG", "JPEG", "BMP", "GIF")],
    ),
}


def mutations(sound: list[bytes], random: Random) -> Iterator[bytes]:
    """Changed files, without end."""
    while True:
        data = bytearray(random.choice(sound))
        for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
            data = mutate(data, sound, random)
        yield bytes(data)


def mutate(data: bytearray, sound: list[bytes], random: Random) -> bytearray:
    """One change."""
    place = random.randrange(len(data) + 1)
    length = random.choice((1, 2, 4, 8, 64))
    match random.randrange(7):
        case 0 if data:
            data[place % len(data)] ^= 1 << random.randrange(8)
        case 1 if data:
            data[place % len(data)] = random.choice(b'\x00\xff\x7f\x80 \n\r",{}[]-.eE0919')
        case 2:
            del data[place : place + length]
        case 3:
            data[place:place] = data[place : place + length] * random.choice((1, 2, 100))
        case 4:
            del data[place:]
        case 5:
            other = random.choice(sound)
            start = random.randrange(len(other) + 1)
            data[place : place + length] = other[start : start + length]
        case 6:
            packed = struct.pack(random.choice("<>") + "I", random.choice(LENGTHS))
            data[place : place + 4] = packed
    return data


def limit_memory() -> None:
    """One gigabyte more than now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    used = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + GIGABYTE, resource.RLIM_INFINITY))


class SlowError(Exception):
    """An input took too long."""


def _too_slow(_signum: int, _frame: FrameType | None) -> None:
    raise SlowError


def fuzz(name: str, inputs: int, seed: int = 0) -> tuple[int, list[str]]:
    """Feed a reader. Returns how many inputs it took as sound, and the findings."""
    reader, file, sound = READERS[name]
    read, findings = 0, []
    signal.signal(signal.SIGALRM, _too_slow)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as box:  # noqa: S108
        path = Path(box) / file
        changed = mutations(sound, Random(f"{name} {seed}"))  # noqa: S311
        finish = SEALED.get(name, bytes)
        for number in range(inputs):
            path.write_bytes(finish(next(changed) if number else sound[0]))
            signal.alarm(SECONDS)
            try:
                with redirect_stdout(None):
                    reader(path)
                read += 1
            except DlprojError as error:
                if "\n" in str(error).strip():
                    findings.append(f"{number}: a message of several lines")
            except Exception as error:
                trace = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{trace.filename}:{trace.lineno}"
                findings.append(f"{number}: {type(error).__name__}: {error} at {where}")
            finally:
                signal.alarm(0)
    return read, findings


def main() -> None:
    """Feed every reader and count."""
    parser = argparse.ArgumentParser(description="Feed broken files to every reader.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--reader", action="append", choices=list(READERS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    limit_memory()
    failed = False
    print("| reader | inputs | refused in one line | read | findings | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in arguments.reader or READERS:
        started = time.perf_counter()
        read, findings = fuzz(name, arguments.inputs)
        refused = arguments.inputs - read - len(findings)
        print(
            f"| {name} | {arguments.inputs:,} | {refused:,} | {read:,} | {len(findings):,} | "
            f"{time.perf_counter() - started:.0f} |",
            flush=True,
        )
        for finding in findings[:5]:
            print(f"{name} {finding}", file=sys.stderr)
        failed |= bool(findings)
    sys.exit(failed)


if __name__ == "__main__":
    main()

"""Files made to harm: nothing in them runs, and each ends in one line, in little memory."""

import gzip
import inspect
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dlproj.cli import app
from dlproj.configuration.resolve import flag
from tests.conftest import environment

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import fuzz

INPUTS = 300
COMMANDS = ("train-digits", "train-regression", "train-langid", "attack", "ablate-batchnorm")
FLAGS = [
    "train-digits --data {folder}",
    "attack --data {folder}",
    "ablate-batchnorm --data {folder}",
    *(f"{command} --config {{file}}" for command in COMMANDS),
    *(f"{command} --resume {{folder}}" for command in COMMANDS),
    "train-regression --data {file}",
    "train-langid --data {file}",
    "attack --model {file}",
    "predict-digit {file}",
    "predict-digit {picture} --model {file}",
    "predict-langid --file {file}",
    "predict-langid word --model {file}",
    "export {file}",
    "verify {folder}",
    "sweep train-digits --config {file}",
    "sweep --resume {folder}",
    "report {folder}",
    "demo {folder}",
    "compare {folder} {folder}",
]
ENDLESS = [
    "predict-langid --file /dev/zero",
    "train-langid --data /dev/zero",
    "train-regression --data /dev/zero",
    "attack --model /dev/zero",
    "train-digits --config /dev/zero",
]
WRITTEN = {"--out", "--strip"}  # flags whose files are not read


class Trap:
    """Unpickled, it makes a folder."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("sprung",))


def lying_safetensors() -> bytes:
    header = b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    return struct.pack("<Q", len(header)) + header + b"\xff" * 64


def bomb(kind: str) -> bytes:
    """Little that unpacks to a gigabyte and more."""
    zeros = bytes(1 << 20)
    buffer = io.BytesIO()
    if kind == "gz":
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as file:
            file.write(struct.pack(">4I", 0x803, 2**30, 1, 1))
            for _ in range(1200):
                file.write(zeros)
    else:
        with (
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("chars.npy", "w", force_zip64=True) as member,
        ):
            for _ in range(1200):
                member.write(zeros)
    return buffer.getvalue()


def objects_npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, chars=np.array([Trap()], dtype=object))
    return buffer.getvalue()


def climbing_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../sprung", b"x")
    return buffer.getvalue()


def trapped_state_dict() -> bytes:
    buffer = io.BytesIO()
    torch.save({"conv1.weight": Trap()}, buffer)
    return buffer.getvalue()


def huge_picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((20_000, 20_000), bool)).save(buffer, "PNG")
    return buffer.getvalue()


NAMES = ["config.json", "result.json"]
NAMES += [f"{split}-images-idx3-ubyte.gz" for split in ("train", "t10k")]
NAMES += [f"{split}-labels-idx1-ubyte.gz" for split in ("train", "t10k")]

HOSTILE: dict[str, Callable[[], bytes]] = {
    "pickle.pt": lambda: pickle.dumps(Trap()),
    "trap.pt": trapped_state_dict,
    "trap.safetensors": lambda: pickle.dumps(Trap()),
    "lying.safetensors": lying_safetensors,
    "objects.npz": objects_npz,
    "bomb.npz": lambda: bomb("zip"),
    "bomb.gz": lambda: bomb("gz"),
    "climbing.npz": climbing_zip,
    "huge.png": huge_picture,
    "long.csv": lambda: b"a" * 2_000_000 + b",b\n",
    "deep.json": lambda: b"[" * 100_000,
}

TRIED_ALL = """
import json, resource, sys
from pathlib import Path
from tests.support.forked import dlproj, fork, warm_up

def run(line):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), -1))
    return dlproj(*line)

warm_up(Path("warm"))
ended = []
for folder, line in json.loads(sys.stdin.read()):
    code = fork(Path(folder), lambda: run(line))
    ended.append([line, code, Path(folder, "err").read_text(), Path(folder, "out").read_text()])
print(json.dumps(ended))
"""


def test_hostile_files_at_every_flag_that_takes_one(tmp_path: Path) -> None:
    lines = [(str(tmp_path), line.split()) for line in ENDLESS]
    picture = tmp_path / "picture.png"
    picture.write_bytes(fuzz.picture_file("PNG"))
    for name, content in HOSTILE.items():
        place = tmp_path / name.replace(".", "-")
        file, folder = place / name, place / "folder"
        folder.mkdir(parents=True)
        file.write_bytes(content())
        for each in NAMES:
            (folder / each).hardlink_to(file)
        lines += [
            (str(place), line.format(file=file, folder=folder, picture=picture).split())
            for line in FLAGS
        ]
    done = subprocess.run(
        [sys.executable, "-c", TRIED_ALL],
        input=json.dumps(lines),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    ended = json.loads(done.stdout.splitlines()[-1])
    assert len(ended) == len(lines) > 250
    for line, code, err, out in ended:
        assert (code in {1, 2}, err.count("\n"), out) == (True, 1, ""), (line, code, err)
        assert ("larger than" in err) or "/dev/zero" not in line, err
    assert not list(tmp_path.parent.rglob("sprung"))
    assert not list(tmp_path.glob("*/runs/*/*"))


def test_no_flag_that_takes_a_file_is_left_out() -> None:
    """Of every command, whatever is added to them."""
    wanted = set()
    for command in app.registered_commands:
        assert command.callback
        name = command.name or command.callback.__name__
        for parameter in inspect.signature(command.callback).parameters.values():
            if "Path" in str(parameter.annotation):
                argument = "ArgumentInfo" in str(parameter.annotation)
                wanted.add((name, "" if argument else flag(parameter.name)))
    tried = set()
    for line in FLAGS:
        name, *words = line.split()
        for before, word in zip(["", *words], words, strict=False):
            if word in {"{file}", "{folder}", "{picture}"}:
                tried.add((name, before if before.startswith("-") else ""))
    missing = {(name, flag) for name, flag in wanted - tried if flag not in WRITTEN}
    assert len(wanted & tried) > 20
    assert missing == set()


@pytest.mark.parametrize("name", fuzz.READERS)
def test_broken_files(name: str) -> None:
    read, findings = fuzz.fuzz(name, INPUTS)
    assert findings == []
    assert read >= 1, "the sound file is refused"
    assert read < INPUTS, "nothing is refused"

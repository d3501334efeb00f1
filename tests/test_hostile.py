"""Files made to harm: nothing in them runs, and each ends in one line, in little memory."""

import gzip
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

from tests.conftest import environment

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import fuzz

INPUTS = 300
FLAGS = [
    "train-digits --data {folder}",
    "attack --data {folder}",
    "ablate-batchnorm --data {folder}",
    "train-digits --config {file}",
    "train-digits --resume {folder}",
    "train-regression --data {file}",
    "train-langid --data {file}",
    "attack --model {file}",
    "predict-digit {file}",
    "predict-digit {picture} --model {file}",
    "predict-langid --file {file}",
    "predict-langid word --model {file}",
    "export {file}",
    "verify {folder}",
]


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
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, \
                archive.open("chars.npy", "w", force_zip64=True) as member:  # fmt: skip
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
import io, json, os, resource, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
import torch
from dlproj.__main__ import main
torch.set_num_threads(1)
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), -1))
problems = []
for line in json.loads(sys.stdin.read()):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["dlproj", *line]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code
    except BaseException as error:
        code = repr(error)
    if code not in (1, 2) or err.getvalue().count("\\n") != 1 or out.getvalue():
        problems.append([line, code, err.getvalue()[-500:]])
print(json.dumps(problems))
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_at_every_flag_that_takes_one(name: str, tmp_path: Path) -> None:
    content = HOSTILE[name]()
    file, folder = tmp_path / name, tmp_path / "folder"
    folder.mkdir()
    file.write_bytes(content)
    for each in NAMES:
        (folder / each).hardlink_to(file)
    picture = tmp_path / "picture.png"
    picture.write_bytes(fuzz.picture_file("PNG"))
    lines = [line.format(file=file, folder=folder, picture=picture).split() for line in FLAGS]
    done = subprocess.run(
        [sys.executable, "-c", TRIED_ALL], input=json.dumps(lines), cwd=tmp_path,
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == []
    assert not list(tmp_path.parent.rglob("sprung"))
    assert not list(tmp_path.glob("runs/*/*"))


@pytest.mark.parametrize("name", fuzz.READERS)
def test_broken_files(name: str) -> None:
    read, findings = fuzz.fuzz(name, INPUTS)
    assert findings == []
    assert read >= 1, "the sound file is refused"
    assert read < INPUTS, "nothing is refused"


def test_a_file_without_end(tmp_path: Path) -> None:
    for line in ("predict-langid --file /dev/zero", "train-langid --data /dev/zero",
                 "train-regression --data /dev/zero", "attack --model /dev/zero",
                 "train-digits --config /dev/zero"):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "dlproj", *line.split()], cwd=tmp_path, env=environment(),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "larger than" in done.stderr

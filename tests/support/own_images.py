"""MNIST's images as people have them: in IDX files, arrays and tables."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dlproj.data.digits import Digits, load_digits

Array = NDArray[Any]
MNIST = load_digits()
TRAIN = MNIST.train.pictures[:300].numpy(), MNIST.train.labels[:300].numpy().astype(np.uint8)
TEST = MNIST.test.pictures[:100].numpy(), MNIST.test.labels[:100].numpy().astype(np.uint8)
CODES = {"u1": 0x08, "i4": 0x0C, "f4": 0x0D}


def idx(array: Array) -> bytes:
    header = CODES[array.dtype.str[1:]] << 8 | array.ndim
    packed = array.astype(array.dtype.newbyteorder(">")).tobytes()
    return struct.pack(f">I{array.ndim}I", header, *array.shape) + packed


def write(
    folder: Path,
    train: tuple[Array, Array] = TRAIN,
    test: tuple[Array, Array] = TEST,
    prefix: str = "",
    labels: str = "labels-idx1-ubyte",
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (images, own) in (("train", train), ("test", test)):
        (folder / f"{prefix}{name}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{prefix}{name}-{labels}.gz").write_bytes(gzip.compress(idx(own)))
    return folder


def npz(path: Path, **arrays: Array) -> Path:
    np.savez(path, allow_pickle=False, **arrays)
    return path


def csv(part: tuple[Array, Array], header: str = "", place: int = 0) -> bytes:
    rows = np.insert(part[0].reshape(len(part[0]), -1).astype(int), place, part[1], axis=1)
    return (header + "\n".join(",".join(map(str, row)) for row in rows)).encode()


def remarks(digits: Digits) -> str:
    return "; ".join(digits.notes.remarks)


def is_mnist(digits: Digits) -> bool:
    same = torch.from_numpy(TRAIN[0]).equal(digits.train.pictures)
    return same and torch.from_numpy(TEST[1]).long().equal(digits.test.labels)

"""The IDX format of the MNIST files (LeCun, Cortes & Burges): numbers with a small header."""

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from dlproj.errors import DlprojError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
KINDS = {1: "labels", 3: "images"}
MAX_BYTES = 600_000_000  # EMNIST's largest file has 550 million
CHUNK = 1 << 20


def read_idx(path: Path, *dimensions: int) -> NDArray[Any]:
    """Read one file, raw or gzip-compressed, of any of the format's types.

    Args:
        path: the file; it is taken as compressed when its first bytes say so.
        dimensions: how many there may be: 3 of images, or 4 with colour; 1 of labels, or 2 where
            each is a row of facts, as QMNIST has them.

    Raises:
        DlprojError: the file cannot be read, or is not such a file to the last byte.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            return _read(cast("IO[bytes]", file), dimensions)
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DlprojError(f"{path}: {error}") from None
    except OSError as error:
        raise DlprojError(f"{path}: {error.strerror}") from None


def _read(file: IO[bytes], allowed: Sequence[int]) -> NDArray[Any]:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise ValueError("not an IDX file (it must begin with two zero bytes)")
    dimensions = start[3]
    if start[2] not in TYPES or dimensions not in allowed:
        raise ValueError(
            f"holds type 0x{start[2]:02x} in {dimensions} dimensions; "
            f"{KINDS.get(allowed[0], 'data')} have type 0x08 in {allowed[0]}"
        )
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise ValueError("truncated within its header")
    shape, dtype = struct.unpack(f">{dimensions}I", header), np.dtype(TYPES[start[2]])
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise ValueError(f"its header promises {size} bytes; at most {MAX_BYTES} are read")
    # In pieces, because a header may promise more than there is; and one byte beyond, to see
    # whether there is more than it promised.
    content = bytearray()
    while len(content) <= size and (chunk := file.read(min(CHUNK, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        more = "more" if len(content) > size else f"{len(content)}"
        raise ValueError(f"its header promises {size} bytes after it, but it holds {more}")
    return np.frombuffer(content, dtype).reshape(shape)

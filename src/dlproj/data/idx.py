"""The IDX format of the MNIST files (LeCun, Cortes & Burges): bytes with a small header."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from dlproj.errors import DlprojError

UNSIGNED_BYTES = 0x08
MAX_BYTES = 600_000_000  # EMNIST's largest file has 550 million
CHUNK = 1 << 20


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read one file of unsigned bytes, raw or gzip-compressed.

    Args:
        path: the file; it is taken as compressed when its first bytes say so.
        dimensions: 3 for images, 1 for labels.

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


def _read(file: IO[bytes], dimensions: int) -> NDArray[np.uint8]:
    header = file.read(4 + 4 * dimensions)
    if len(header) < 4 or header[:2] != b"\0\0":
        raise ValueError("not an IDX file (it must begin with two zero bytes)")
    if header[2] != UNSIGNED_BYTES or header[3] != dimensions:
        kind = {1: "labels", 3: "images"}.get(dimensions, "data")
        raise ValueError(
            f"holds type 0x{header[2]:02x} in {header[3]} dimensions; "
            f"{kind} have type 0x08 in {dimensions}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise ValueError("truncated within its header")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    size = math.prod(shape)
    if size > MAX_BYTES:
        raise ValueError(f"its header promises {size} bytes; at most {MAX_BYTES} are read")
    content = bytearray()
    while len(content) <= size and (chunk := file.read(min(CHUNK, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        more = "more" if len(content) > size else f"{len(content)}"
        raise ValueError(f"its header promises {size} bytes after it, but it holds {more}")
    return np.frombuffer(content, np.uint8).reshape(shape)

"""IDX files: read to the last byte, or refused in one line."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from dlproj.data.idx import read_idx
from dlproj.errors import DlprojError

PIXELS = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
GOOD = struct.pack(">4I", 0x803, 2, 28, 28) + PIXELS.tobytes()


@pytest.mark.parametrize("content", [GOOD, gzip.compress(GOOD)], ids=["raw", "gzip"])
def test_reads_raw_and_compressed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    assert (read_idx(path, "images") == PIXELS).all()


BAD = {
    "empty": (b"", "not an IDX file"),
    "text": (b"hello, this is text", "not an IDX file"),
    "labels": (
        struct.pack(">2I", 0x801, 3) + b"abc",
        "in 1 dimensions; images have type 0x08 in 3",
    ),
    "unknown type": (struct.pack(">4I", 0x703, 2, 28, 28), "type 0x07"),
    "cut floats": (struct.pack(">4I", 0xD03, 2, 28, 28), "promises 6272 bytes"),
    "cut header": (GOOD[:9], "truncated within its header"),
    "cut content": (GOOD[:-1], "promises 1568 bytes after it, but it holds 1567"),
    "surplus": (GOOD + b"x", "promises 1568 bytes after it, but it holds more"),
    "huge": (struct.pack(">4I", 0x803, 2**31, 2**31, 2**31), "are read"),
    "cut gzip": (gzip.compress(GOOD)[:-20], "images: "),
    "bent gzip": (gzip.compress(GOOD)[:30] + b"\xff" * 30, "images: "),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_what_is_not_such_a_file(name: str, tmp_path: Path) -> None:
    content, message = BAD[name]
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DlprojError, match=message):
        read_idx(path, "images")


@pytest.mark.parametrize(("code", "dtype"), [(0x09, "i1"), (0x0C, ">i4"), (0x0D, ">f4")])
def test_reads_the_other_types_of_the_format(code: int, dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(struct.pack(">2I", code << 8 | 1, 3) + np.array([1, 2, 3], dtype).tobytes())
    assert read_idx(path, "labels").tolist() == [1, 2, 3]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "images"
    for length in range(0, len(GOOD), 7):
        path.write_bytes(GOOD[:length])
        with pytest.raises(DlprojError):
            read_idx(path, "images")

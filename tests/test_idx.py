"""IDX files: read to the last byte, or refused in one line."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from dlproj.data.images.idx import read_idx
from dlproj.errors import DlprojError

PIXELS = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
GOOD = struct.pack(">4I", 0x803, 2, 28, 28) + PIXELS.tobytes()


@pytest.mark.parametrize("content", [GOOD, gzip.compress(GOOD)], ids=["raw", "gzip"])
def test_reads_raw_and_compressed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    assert (read_idx(path, 3) == PIXELS).all()


def header(kind: int, *sizes: int) -> bytes:
    return struct.pack(f">I{len(sizes)}I", kind, *sizes)


NOT_IDX = "not an IDX file (it must begin with two zero bytes)"
BAD: dict[str, tuple[int, bytes, str]] = {
    "empty": (3, b"", NOT_IDX),
    "three bytes": (3, b"\0\0\x08", NOT_IDX),
    "text": (3, b"hello, this is text", NOT_IDX),
    "one zero": (3, b"\0\1" + GOOD[2:], NOT_IDX),
    "labels": (
        3,
        header(0x801, 3) + b"abc",
        "holds type 0x08 in 1 dimensions; images have type 0x08 in 3",
    ),
    "images": (1, GOOD, "holds type 0x08 in 3 dimensions; labels have type 0x08 in 1"),
    "table": (2, GOOD, "holds type 0x08 in 3 dimensions; data have type 0x08 in 2"),
    "unknown type": (
        3,
        header(0x703, 2, 28, 28),
        "holds type 0x07 in 3 dimensions; images have type 0x08 in 3",
    ),
    "cut floats": (
        3,
        header(0xD03, 2, 28, 28),
        "its header promises 6272 bytes after it, but it holds 0",
    ),
    "short header": (3, GOOD[:4], "truncated within its header"),
    "cut header": (3, GOOD[:15], "truncated within its header"),
    "cut content": (3, GOOD[:-1], "its header promises 1568 bytes after it, but it holds 1567"),
    "surplus": (3, GOOD + b"x", "its header promises 1568 bytes after it, but it holds more"),
    "huge": (
        1,
        header(0x801, 600_000_001),
        "its header promises 600000001 bytes; at most 600000000 are read",
    ),
    "nearly huge": (
        1,
        header(0x801, 600_000_000),
        "its header promises 600000000 bytes after it, but it holds 0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_what_is_not_such_a_file(name: str, tmp_path: Path) -> None:
    dimensions, content, message = BAD[name]
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DlprojError) as refused:
        read_idx(path, dimensions)
    assert str(refused.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    "content",
    [gzip.compress(GOOD)[:-20], gzip.compress(GOOD)[:30] + b"\xff" * 30],
    ids=["cut", "bent"],
)
def test_refuses_a_damaged_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DlprojError, match=rf"^{path}: \w"):
        read_idx(path, 3)


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
def test_reads_the_other_types_of_the_format(code: int, dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(header(code << 8 | 1, 3) + np.array([1, 2, 3], dtype).tobytes())
    assert read_idx(path, 1, 2).tolist() == [1, 2, 3]


def test_refuses_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DlprojError) as refused:
        read_idx(tmp_path / "absent", 3)
    assert str(refused.value) == f"{tmp_path / 'absent'}: No such file or directory"


def test_reads_more_than_one_piece(tmp_path: Path) -> None:
    """Files are read a million bytes at a time."""
    path = tmp_path / "labels"
    content = np.random.default_rng(0).integers(256, size=2**21 + 5, dtype=np.uint8)
    path.write_bytes(header(0x801, len(content)) + content.tobytes())
    assert np.array_equal(read_idx(path, 1), content)


def test_refuses_surplus_behind_a_whole_piece(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(header(0x801, 2**20) + bytes(2**20 + 1))
    with pytest.raises(DlprojError, match="promises 1048576 bytes after it, but it holds more"):
        read_idx(path, 1)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "images"
    for length in range(0, len(GOOD), 37):
        path.write_bytes(GOOD[:length])
        with pytest.raises(DlprojError):
            read_idx(path, 3)

"""Damage each file of a finished run in each place, and see whether it is noticed.

Usage: python tests/support/damage.py RUN

Each byte is changed, one at a time, and the file is cut short at every length. It counts as
noticed when the result is refused, or `verify`'s check of the files says "damaged" (of a
checkpoint, when it does not load), and as harmless when what is read is what was meant: white
space in JSON. Prints a row for each file; anything else is an error.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dlproj.errors import DlprojError
from dlproj.reports.verify import check_files
from dlproj.store.runs import RunDir
from dlproj.store.weights import DamagedError, unpack


def is_noticed(run: RunDir) -> bool:
    """Whether the result or the check of the files says so."""
    try:
        result = run.result
        if result is None:
            return True
        check_files(run, result)
    except DlprojError as error:
        return "damaged" in str(error)
    return False


def outcome(run: RunDir, name: str, meant: object) -> str:
    """What became of a damaged file."""
    try:
        noticed = not name.startswith("checkpoint/") and is_noticed(run)
        return "noticed" if noticed else "harmless" if meaning(run, name) == meant else "MISSED"
    except DlprojError:
        return "noticed"


def meaning(run: RunDir, name: str) -> object:
    """What is read of a file that may be undamaged, to compare with."""
    if not name.startswith("checkpoint/"):
        return run.result if name == "result.json" else (run.path / name).read_bytes()
    tensors, about = unpack((run.path / name).read_bytes())
    if not about:  # taken for a safetensors file from elsewhere, which no run resumes from
        raise DamagedError
    return about, {key: tensor.tolist() for key, tensor in tensors.items()}


def flips(run: RunDir, name: str) -> Iterator[str]:
    """What becomes of the file with each of its bytes changed."""
    file, meant = run.path / name, meaning(run, name)
    with file.open("r+b", buffering=0) as handle:
        for place, byte in enumerate(file.read_bytes()):
            os.pwrite(handle.fileno(), bytes([byte ^ (0x01 if place % 2 else 0x20)]), place)
            yield outcome(run, name, meant)
            os.pwrite(handle.fileno(), bytes([byte]), place)


def cuts(run: RunDir, name: str) -> Iterator[str]:
    """What becomes of the file cut short at each length."""
    file, meant = run.path / name, meaning(run, name)
    original = file.read_bytes()
    try:
        for size in reversed(range(len(original))):
            os.truncate(file, size)
            yield outcome(run, name, meant)
    finally:
        file.write_bytes(original)


def main() -> None:
    """Damage all files of a run."""
    run = RunDir(Path(sys.argv[1]))
    names = [
        str(path.relative_to(run.path))
        for path in sorted(run.path.rglob("*"))
        if path.is_file() and path.name != ".lock"
    ]
    print("| file | bytes changed | noticed | harmless | cut short | noticed | harmless |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    total: Counter[str] = Counter()
    for name in names:
        flipped, cut = Counter(flips(run, name)), Counter(cuts(run, name))
        total += flipped + cut
        numbers = [
            count
            for seen in (flipped, cut)
            for count in (seen.total(), seen["noticed"], seen["harmless"])
        ]
        print(f"| {name} |", *(f"{count:,} |" for count in numbers), flush=True)
    sys.exit(f"{total['MISSED']} missed" if total["MISSED"] else 0)


if __name__ == "__main__":
    main()

"""Folders of IDX files: MNIST's, EMNIST's and QMNIST's own names, with any prefix."""

import re
import string
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dlproj.data.images.found import Found, Part
from dlproj.data.images.idx import read_idx
from dlproj.data.notes import listed
from dlproj.errors import DlprojError

NAME = re.compile(
    r"(?P<prefix>.*?)(?P<split>train|t10k|test)[-_.](?P<kind>images|labels)"
    r"[-_.]idx[1-4][-_.](ubyte|int)(?P<gz>\.gz)?",
    re.IGNORECASE,
)
# Cohen et al. 2017: the merged sets leave out small letters that look like their capitals.
MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
EMNIST = {
    "byclass": dict(enumerate(string.digits + string.ascii_uppercase + string.ascii_lowercase)),
    "bymerge": dict(enumerate(MERGED)),
    "balanced": dict(enumerate(MERGED)),
    "letters": dict(enumerate(string.ascii_lowercase, 1)),
}

Kind = Literal["images", "labels"]
Parts = dict[tuple[str, Kind], Path]  # by split ("train" or "test") and kind


def _find(path: Path) -> tuple[Parts, str, tuple[str, ...]] | None:
    """The files of the set, their prefix, and remarks."""
    folder, wanted = (path, None) if path.is_dir() else (path.parent, path.name)
    sets = _sets(folder.glob("*")) or _sets(folder.glob("*/*"))
    if wanted is not None:
        sets = {prefix: parts for prefix, parts in sets.items() if prefix.rstrip("-_.") == wanted}
    if not sets:
        return None
    prefix = "" if "" in sets else min(sets)
    others = [other.rstrip("-_.") for other in sorted(sets) if other != prefix]
    if others and prefix:
        names = [prefix.rstrip("-_."), *others]
        raise DlprojError(
            f"{path}: holds several sets ({listed(names)}): name one, as in "
            f"--data {path / names[0]}"
        )
    parts = sets[prefix]
    for split, name in (("train", "train"), ("test", "t10k")):
        for kind in get_args(Kind):
            if (split, kind) not in parts:
                expected = f"{prefix}{name}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
                raise DlprojError(f"{path}: holds no {expected} or {expected}.gz")
    remark = f"other sets in the folder are passed over: {listed(others)}"
    return parts, prefix, (remark,) if others else ()


def _sets(files: Iterable[Path]) -> dict[str, Parts]:
    """The files of each set, by prefix; hidden ones, as macOS makes them (`._…`), are none."""
    sets: dict[str, Parts] = defaultdict(dict)
    for file in sorted(files):
        match = NAME.fullmatch(file.name)
        if match and not file.name.startswith(".") and file.is_file():
            split = "train" if match["split"].lower() == "train" else "test"
            kind: Kind = "images" if match["kind"].lower() == "images" else "labels"
            sets[match["prefix"]].setdefault((split, kind), file)
    return dict(sets)


def read_idx_folder(path: Path) -> Found | None:
    """The four files of a set in a folder or one level below it; None where there are none.

    Args:
        path: the folder; or the folder and the prefix of one of several sets in it.

    Raises:
        DlprojError: there are several sets, one file is missing, or one cannot be read.
    """
    if path.is_file() and NAME.fullmatch(path.name):
        raise DlprojError(f"{path}: one of four files; name their folder, {path.parent}")
    found = _find(path)
    if found is None:
        return None
    parts, prefix, remarks = found
    keys = [(split, kind) for split in ("train", "test") for kind in get_args(Kind)]
    with ThreadPoolExecutor() as pool:
        arrays = pool.map(read_idx, [parts[key] for key in keys], (3, 1, 3, 1), (4, 2, 4, 2))
    train_images, train_labels, test_images, test_labels = arrays
    emnist = prefix.lower().startswith("emnist")
    return Found(
        Part(train_images, _first_fact(train_labels)),
        Part(test_images, _first_fact(test_labels)),
        where=str(path),
        written=f"IDX files {prefix}…" if prefix else "IDX files",
        names=next((names for known, names in EMNIST.items() if known in prefix.lower()), None)
        if emnist
        else None,
        emnist=emnist,
        remarks=remarks,
    )


def _first_fact(labels: NDArray[np.generic]) -> NDArray[np.generic]:
    """QMNIST has a row of facts for each image; its first is the label."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] > 1 else labels

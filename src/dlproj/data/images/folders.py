"""Pictures sorted into a folder for each class, as torchvision's ImageFolder has them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlproj.data.images.found import Found, Part, is_tested
from dlproj.data.notes import counted, listed
from dlproj.errors import DlprojError

ENDINGS = {
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".tif", ".tiff", ".webp"),
    *(".bmp", ".dib", ".ico", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".heic", ".avif", ".avifs"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".tga", ".pcx", ".psd", ".dds", ".qoi"),
    *(".ras", ".sgi", ".xbm", ".xpm"),
}
BY_SYSTEMS = {"thumbs.db", "ehthumbs.db", "desktop.ini"}  # files that nobody put there
TRAIN = ("train", "training")
TEST = ("test", "testing", "t10k")
VALIDATION = ("val", "valid", "validation", "dev")
MOST = 1_000_000

Pictures = dict[str, list[Path]]  # of each class


@dataclass(frozen=True)
class Contents:
    """What lies in the folders of classes: pictures, and what is passed over.

    Args:
        pictures: of each class that has any.
        empty: folders without pictures.
        others: files within the folders that are no pictures.
        loose: pictures beside the folders.
    """

    pictures: Pictures
    empty: list[Path]
    others: list[Path]
    loose: list[Path]


def read_class_folders(path: Path) -> Found | None:
    """A folder of pictures for each class, prepared as `predict-digit` does; None where none is.

    Raises:
        DlprojError: there are no pictures to learn from or to be tested on.
    """
    if not path.is_dir():
        return None
    root = _root(path)
    splits = {folder.name.lower(): folder for folder in _folders(root)}
    named = {
        kind: next((splits[name] for name in names if name in splits), None)
        for kind, names in (("train", TRAIN), ("test", TEST), ("validation", VALIDATION))
    }
    remarks = []
    tested = named["test"]
    if tested is None and named["validation"]:
        tested = named["validation"]
        remarks.append(f"no test folder: {tested.name} is tested on")
    elif named["validation"]:
        passed = named["validation"].name
        remarks.append(f"{passed} is passed over; --validation N holds some images out")
    if not tested and named["train"] and _is_class(named["train"]):
        named["train"] = None
    if named["train"] and tested:
        parts = [_contents(named["train"]), _contents(tested)]
        train, test = (part.pictures for part in parts)
    else:
        parts = [_contents(named["train"] or root)]
        train, test = _by_hash(parts[0].pictures)
        remarks = ["no test folder: a tenth, by a hash of each name, is held out for test"]
    if not any(train.values()):
        return None
    if named["train"]:
        beside = [folder for folder in splits.values() if folder not in (*named.values(), tested)]
        if beside:
            names = listed([folder.name for folder in beside])
            remarks.append(f"beside {named['train'].name}, passed over: {names}")
    remarks += _passed(parts, path)
    kinds = sorted({*train, *test})
    _check_names(kinds, path)
    (learnt, held_out), more = _prepared([train, test], path)
    return Found(
        learnt,
        held_out,
        where=str(path),
        written=f"pictures in {counted(len(kinds), 'folder')}",
        upright=True,
        remarks=(*remarks, *more),
    )


def _root(path: Path) -> Path:
    """The folder itself, or the only one in it, as archives are unpacked."""
    while len(folders := _folders(path)) == 1 and _folders(folders[0]):
        if any(map(_is_picture, path.glob("*"))):
            break
        path = folders[0]
    return path


def _folders(path: Path) -> list[Path]:
    return sorted(
        folder
        for folder in path.glob("*")
        if folder.is_dir() and not folder.name.startswith((".", "__"))
    )


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith(".") and file.is_file()


def _is_other(file: Path) -> bool:
    if file.suffix.lower() in ENDINGS or file.name.lower() in BY_SYSTEMS:
        return False
    return not file.name.startswith(".") and file.is_file()


def _contents(root: Path) -> Contents:
    pictures: Pictures = {}
    empty, others = [], []
    for folder in _folders(root):
        files = sorted(folder.rglob("*"))
        found = list(filter(_is_picture, files))
        others += list(filter(_is_other, files))
        if found:
            pictures[folder.name] = found
        else:
            empty.append(folder)
    if sum(map(len, pictures.values())) > MOST:
        raise DlprojError(f"{root}: holds more than {MOST:,} pictures")
    return Contents(pictures, empty, others, sorted(filter(_is_picture, root.glob("*"))))


def _is_class(folder: Path) -> bool:
    """Whether it holds pictures itself, and no folder with any."""
    return any(map(_is_picture, folder.glob("*"))) and not any(map(_is_picture, folder.glob("*/*")))


def _check_names(kinds: list[str], path: Path) -> None:
    """Refuse 1 and 01 as names of classes that are all numbers."""
    if not all(map(str.isdecimal, kinds)):
        return
    alike: dict[int, list[str]] = {}
    for name in kinds:
        alike.setdefault(int(name), []).append(name)
    twice = next((names for names in alike.values() if len(names) > 1), None)
    if twice:
        raise DlprojError(
            f"{path}: the folders {listed(twice)} have the same number as their class; give all "
            "pictures of a class one folder"
        )


def _passed(parts: list[Contents], path: Path) -> list[str]:
    """Remarks on what is passed over."""
    empty, others, loose = (
        [str(file.relative_to(path)) for part in parts for file in getattr(part, kind)]
        for kind in ("empty", "others", "loose")
    )
    remarks = []
    if empty:
        remarks.append(f"no pictures in {listed(empty)}: no class")
    if others:
        many = counted(len(others), "file")
        remarks.append(f"{many} passed over, with no ending of a picture: {listed(others, 3)}")
    if loose:
        many = counted(len(loose), "picture")
        remarks.append(f"{many} passed over, in no folder of a class: {listed(loose, 3)}")
    return remarks


def _by_hash(pictures: Pictures) -> tuple[Pictures, Pictures]:
    """Training and test pictures, by a hash of the name and its class."""
    train: Pictures = {name: [] for name in pictures}
    test: Pictures = {name: [] for name in pictures}
    for name, files in pictures.items():
        for file in files:
            (test if is_tested(f"{name}/{file.name}".encode()) else train)[name].append(file)
    return train, test


def _prepared(splits: Iterable[Pictures], path: Path) -> tuple[list[Part], list[str]]:
    """Both parts as bytes (n, 28, 28), and a remark on pictures that could not be read."""
    parts, faults = [], []
    # Threads, because Pillow lets go of the interpreter's lock while it decodes.
    with ThreadPoolExecutor() as pool:
        for split in splits:
            named = [(name, file) for name, files in split.items() for file in files]
            images, labels = [], []
            for (name, _), read in zip(named, pool.map(_read, [f for _, f in named]), strict=True):
                if isinstance(read, str):
                    faults.append(read)
                else:
                    images.append(read)
                    labels.append(name)
            if named and not images:
                raise DlprojError(f"{path}: no picture can be read; the first: {faults[0]}")
            parts.append(Part(np.array(images, np.uint8), np.array(labels, str)))
    if not faults:
        return parts, []
    many = counted(len(faults), "picture")
    return parts, [f"{many} passed over: {listed(faults, 3)}"]


def _read(file: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | str":
    """The picture, or what is wrong with it."""
    from dlproj.data.pictures import read_picture  # noqa: PLC0415 - takes a moment

    try:
        return read_picture(file).numpy()
    except DlprojError as error:
        return str(error)

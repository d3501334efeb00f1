"""Digits: what ships, and what a user's folder may hold."""

import gzip
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from dlproj.data.digits import Images, load_digits, load_test_digits, to_pixels
from dlproj.data.images import mnist as data
from dlproj.errors import DlprojError
from tests.conftest import idx


def test_all_of_mnist_ships() -> None:
    digits = load_digits()
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (60_000, 0, 10_000)
    assert digits.train.pictures.shape == (60_000, 28, 28)
    assert digits.names == load_test_digits().names == list("0123456789")
    assert torch.bincount(digits.test.labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    mean = to_pixels(digits.train.pictures).mean().item()
    assert mean == pytest.approx(0.1307, abs=1e-4)


def test_loading_takes_moments() -> None:
    times = []
    for _ in range(5):
        started = time.process_time()
        load_digits()
        times.append(time.process_time() - started)
    assert min(times) < 1  # of processor time; 0.3 s


def test_damage_to_what_ships_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copytree(data.SHIPPED, tmp_path / "mnist")
    monkeypatch.setattr(data, "SHIPPED", copy)
    path = copy / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DlprojError, match="is damaged: install dlproj again"):
        load_digits()


def test_validation_images_are_held_out_of_training() -> None:
    whole, split = load_digits(), load_digits(validation=5000)
    assert (len(split.train), len(split.validation)) == (55_000, 5_000)
    again = load_digits(validation=5000)
    assert torch.equal(split.validation.pictures, again.validation.pictures)
    sums = torch.cat([split.train.pictures, split.validation.pictures]).sum((1, 2)).sort()[0]
    assert torch.equal(sums, whole.train.pictures.sum((1, 2)).sort()[0])
    assert len(split.test) == 10_000
    order = torch.randperm(60_000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(split.validation.labels, whole.train.labels[order[:5000]])
    assert torch.equal(split.train.labels, whole.train.labels[order[5000:]])


def test_holding_out_leaves_an_image_to_train_on() -> None:
    assert len(load_digits(validation=59_999).train) == 1
    with pytest.raises(DlprojError) as refused:
        load_digits(validation=60_000)
    assert str(refused.value) == "--validation 60000: must leave some of the 60000 training images"


def write(folder: Path, prefix: str = "", *, test: str = "t10k", dot: str = "-") -> Images:
    """A user's folder of 30 random images each; returns the training images."""
    torch.manual_seed(0)
    pictures, labels = torch.randint(256, (30, 28, 28)), torch.arange(30) % 10
    for split in ("train", test):
        name = f"{prefix}{split}"
        (folder / f"{name}-images{dot}idx3-ubyte").write_bytes(idx(pictures))
        packed = gzip.compress(idx(labels))
        (folder / f"{name}-labels{dot}idx1-ubyte.gz").write_bytes(packed)
    return Images(pictures.byte(), labels)


@pytest.mark.parametrize(
    ("prefix", "test", "dot"),
    [("", "t10k", "-"), ("", "t10k", "."), ("my-", "test", "-"), ("emnist-digits-", "test", "-")],
)
def test_reads_folders_as_they_are_downloaded(
    prefix: str, test: str, dot: str, tmp_path: Path
) -> None:
    images = write(tmp_path, prefix, test=test, dot=dot)
    digits = load_digits(folder=tmp_path)
    expected = images.pictures.mT if prefix.startswith("emnist") else images.pictures
    assert torch.equal(digits.train.pictures, expected)
    assert torch.equal(digits.test.labels, images.labels)


def replace(folder: Path, name: str, content: bytes) -> None:
    for path in folder.glob(f"{name}*"):
        path.unlink()
    (folder / name).write_bytes(content)


BAD = {
    "absent": ("train-images-idx3-ubyte", None, "holds no train-images-idx3-ubyte"),
    "no test labels": ("t10k-labels-idx1-ubyte.gz", None, "holds no t10k-labels-idx1-ubyte or"),
    "counts differ": (
        "train-labels-idx1-ubyte",
        idx(torch.zeros(29)),
        "30 images, but 29 labels",
    ),
    "two sizes": (
        "train-images-idx3-ubyte",
        idx(torch.zeros(30, 32, 32)),
        "differ in size: 32x32 and 28x28",
    ),
    "mislabelled": ("t10k-labels-idx1-ubyte", idx(torch.zeros(30, 28, 28)), "in 3 dimensions"),
    "empty": ("train-images-idx3-ubyte", idx(torch.zeros(0, 28, 28)), "0 images, but 30 labels"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_folders_that_are_not_such_data(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    file, content, message = BAD[name]
    replace(tmp_path, file, content or b"")
    if content is None:
        (tmp_path / file).unlink()
    with pytest.raises(DlprojError, match=message):
        load_digits(folder=tmp_path)


def test_torchvision_works_beside_a_cpu_only_torch() -> None:
    from dlproj.data.vision import torchvision_datasets

    assert torchvision_datasets().KMNIST.__name__ == "KMNIST"


def test_a_data_set_in_the_cache_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "dlproj" / "KMNIST" / "raw"
    folder.mkdir(parents=True)
    images = write(folder)
    for packed in folder.glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    digits = load_digits("kmnist")
    assert torch.equal(digits.train.pictures, images.pictures)
    assert digits.names[:2] == ["o", "ki"]


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist", "qmnist", "emnist"])
def test_the_relatives_of_mnist_are_those_of_torchvision(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QMNIST's labels are the first of eight numbers; EMNIST's digits lie transposed."""
    asked = []

    class Fake:
        classes = ("nought", "one")

        def __init__(self, cache: str, **options: object) -> None:
            asked.append(options)
            self.data = torch.arange(2 * 28 * 28).view(2, 28, 28).byte()
            self.targets = torch.tensor([[1, 9], [0, 9]]) if name == "qmnist" else torch.arange(2)

    known = dict.fromkeys(["FashionMNIST", "KMNIST", "QMNIST", "EMNIST"])
    kind = {"fashion-mnist": "FashionMNIST"}.get(name, name.upper())
    monkeypatch.setattr(
        "dlproj.data.vision.torchvision_datasets", lambda: SimpleNamespace(**known | {kind: Fake})
    )
    digits = load_digits(name)
    options = {"download": True} | ({"split": "digits"} if name == "emnist" else {})
    assert asked == [{"train": True} | options, {"train": False} | options]
    pictures = torch.arange(2 * 28 * 28).view(2, 28, 28).byte()
    assert digits.train.pictures.equal(pictures.mT if name == "emnist" else pictures)
    assert digits.test.labels.tolist() == ([1, 0] if name == "qmnist" else [0, 1])
    assert digits.names == ["nought", "one"]


def test_the_test_images_alone_come_without_any_to_learn_from() -> None:
    digits = load_test_digits()
    assert len(digits.train.pictures) == len(digits.train.labels) == 0
    assert len(digits.test.pictures) == len(digits.test.labels) == 10_000


def test_all_parts_go_to_a_device() -> None:
    moved = load_digits(validation=5).to(torch.device("meta"))
    for part in (moved.train, moved.validation, moved.test):
        assert part.pictures.is_meta
        assert part.labels.is_meta

"""The images that a network is attacked with: those of the data it was trained for."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from dlproj.configuration.resolve import read_config_file, resolve
from dlproj.data.digits import Digits, Images, load_digits, load_test_digits
from dlproj.data.notes import listed
from dlproj.errors import DlprojError
from dlproj.settings import AttackConfig, DigitsConfig

MNIST = "mnist"  # what ships


@dataclasses.dataclass(frozen=True)
class Target:
    """Images whose labels are the classes of a network.

    Args:
        digits: the images; `names` are the network's.
        source: what they are: a path, or the name of a data set.
        remark: on where they come from.
    """

    digits: Digits
    source: str
    remark: str = ""


def images_for(config: AttackConfig, path: Path, about: dict[str, Any]) -> Target:
    """The images of `--data`, or those of the data that the network in `path` was trained for.

    Raises:
        DlprojError: they cannot be read, or are of classes that the network does not know.
    """
    if config.data is not None:
        digits = load_digits(folder=config.data, transpose=config.transpose)
        return _of_its_classes(Target(digits, str(config.data)), path, about)
    trained = _training_of(path)
    if trained is None or (trained.data is None and trained.dataset == MNIST):
        # Others are trained where the attack is to be explained, and nowhere else.
        digits = load_digits() if config.diagnose else load_test_digits()
        return _of_its_classes(Target(digits, MNIST), path, about)
    source = trained.dataset if trained.data is None else str(trained.data)
    flag = "--dataset" if trained.data is None else "--data"
    try:
        digits = load_digits(trained.dataset, trained.data, transpose=trained.transpose)
    except DlprojError as error:
        raise DlprojError(
            f"{path} was trained with {flag} {source}, which cannot be read ({error}); name images "
            "with --data"
        ) from None
    remark = f"attacking the test images of what {path} was trained with: {flag} {source}"
    return _of_its_classes(Target(digits, source, remark), path, about)


def _training_of(path: Path) -> DigitsConfig | None:
    """The settings of the run that a network is of; None where it lies elsewhere."""
    folder = path if path.is_dir() else path.parent
    try:
        return resolve(DigitsConfig, read_config_file(folder, DigitsConfig.command))
    except DlprojError:
        return None


def _of_its_classes(target: Target, path: Path, about: dict[str, Any]) -> Target:
    """The images, with the network's classes for labels."""
    digits, known = target.digits, about.get("labels")
    if known is None or known == digits.names:
        return target
    labels = torch.cat([digits.train.labels, digits.test.labels]).unique().tolist()
    names = [digits.names[label] for label in labels]
    if all(name in known for name in names):
        # From the numbers that the data give its classes to those of the network.
        place = torch.tensor([known.index(name) if name in known else -1 for name in digits.names])
        train, test = (
            Images(part.pictures, place[part.labels]) for part in (digits.train, digits.test)
        )
        digits = dataclasses.replace(digits, names=known, train=train, test=test)
        return dataclasses.replace(target, digits=digits)
    classes = f"the network of {path} knows {listed(known)}; the images are of {listed(names)}"
    if len(digits.names) != len(known):
        raise DlprojError(f"{classes}: name images of its classes with --data")
    remark = f"{target.remark}; {classes}: taken in this order".removeprefix("; ")
    digits = dataclasses.replace(digits, names=known)
    return dataclasses.replace(target, digits=digits, remark=remark)

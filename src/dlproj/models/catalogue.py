"""Every network that a file may hold: what it reads, and the setting that trains it."""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from dlproj.models.digits import DeepCNN, DeeperCNN, DigitCNN, FastCNN, LeNet, RobustCNN
from dlproj.models.langid import CharGRU
from dlproj.models.ngrams import NgramBag
from dlproj.models.regression import CurveMLP

Reads = Literal["digits", "points", "words"]
TRAINED_BY = {"digits": "train-digits", "points": "train-regression", "words": "train-langid"}


@dataclass(frozen=True)
class Entry:
    """A network, what it reads, and the value of `--network` that trains it, if one does."""

    network: type[nn.Module]
    reads: Reads
    setting: str | None = None

    @property
    def name(self) -> str:
        """What the network is called in files."""
        return self.network.__name__


CATALOGUE = (
    Entry(DigitCNN, "digits", "report"),
    Entry(FastCNN, "digits", "fast"),
    Entry(DeepCNN, "digits", "deep"),
    Entry(DeeperCNN, "digits", "deeper"),
    Entry(RobustCNN, "digits", "robust"),
    Entry(LeNet, "digits"),
    Entry(CurveMLP, "points"),
    Entry(CharGRU, "words", "gru"),
    Entry(NgramBag, "words", "ngrams"),
)
BY_NAME = {entry.name: entry for entry in CATALOGUE}


def trained_as(reads: Reads, setting: str) -> type[nn.Module]:
    """The network that a value of `--network` names."""
    return next(
        entry.network for entry in CATALOGUE if (entry.reads, entry.setting) == (reads, setting)
    )

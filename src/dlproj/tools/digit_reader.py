"""The digits of pictures, read by a network."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from dlproj.data.digits import to_pixels
from dlproj.data.pictures import Digit, NoDigitError, Picture, candidates
from dlproj.models.files import PICTURES
from dlproj.tools.predict import Prediction, load_classifier, name_outputs
from dlproj.training.device import Machine
from dlproj.training.loop import predict


@dataclasses.dataclass(frozen=True)
class DigitPrediction(Prediction):
    """What a network makes of one digit.

    Args:
        box: left, top, right and bottom of the digit, in pixels of the picture as it is shown
            upright; None for an image that is nothing but a digit.
    """

    box: tuple[int, int, int, int] | None = None


@dataclasses.dataclass(frozen=True)
class Reading:
    """A picture with the digits that were read on it."""

    picture: Picture
    digits: list[Digit]
    predictions: list[DigitPrediction]


class DigitReader:
    """A network that reads digits, and how sure of itself it may be.

    Beside its weights may stand a `temperature`, by which its logits are divided (Guo et al. 2017),
    and `least_of_two`, what the two likeliest labels of a digit have together at least: with less,
    what is drawn looks like no digit. A digit between two labels is still one.

    Args:
        model: its file; by default the network that ships for pictures.
        machine: where it runs.
    """

    def __init__(self, model: Path | None, machine: Machine) -> None:
        self.path = model or PICTURES
        self.machine = machine
        self._network, self._about = load_classifier(self.path, "digits", machine)

    def read_images(self, images: Tensor, names: Sequence[str]) -> list[DigitPrediction]:
        """Name the digit on each of the images (n, 1, 28, 28) in [0, 1], white ink on black."""
        if not len(images):
            return []
        logits = self.logits(images) / self.temperature
        named = name_outputs(names, logits, self._about["labels"])
        return [DigitPrediction(**vars(prediction)) for prediction in named]

    @property
    def temperature(self) -> float:
        """What logits are divided by."""
        return float(self._about.get("temperature", 1.0))

    def logits(self, images: Tensor) -> Tensor:
        """What the network makes of images (n, 1, 28, 28), before the temperature: (n, labels)."""
        return predict(self._network, images.to(self.machine.device), machine=self.machine)

    def read_picture(
        self, picture: Picture, name: str, *, several: bool, remark: Callable[[str], None]
    ) -> Reading:
        """Name the digit on a picture, or all of them.

        Args:
            picture: what is looked at.
            name: of the picture.
            several: all digits, and not only the largest of those that the network is sure of.
            remark: is told what the user may not expect.

        Raises:
            NoDigitError: no digit is found.
        """
        for text in picture.remarks:
            remark(f"{name}: {text}")
        readings = [(one, self._read(one.digits, name)) for one in candidates(picture)]
        best, read = max(readings, key=lambda both: both[0].weight * _sureness(both[1]))
        digits = best.digits
        least = self._about.get("least_of_two", 0.0)
        sure = [index for index, prediction in enumerate(read) if _of_two(prediction) >= least]
        if not sure:
            raise NoDigitError("no digit found: what is drawn on it looks like none")
        if several:
            return Reading(picture, digits, read)
        if len(sure) > 1:
            remark(f"{name}: has {len(sure)} digits; --several reads all of them")
        chosen = max(sure, key=lambda index: digits[index].size)
        return Reading(picture, [digits[chosen]], [read[chosen]])

    def _read(self, digits: list[Digit], name: str) -> list[DigitPrediction]:
        images = to_pixels(torch.stack([digit.image for digit in digits]))
        return [
            dataclasses.replace(prediction, box=digit.box)
            for prediction, digit in zip(
                self.read_images(images, [name] * len(digits)), digits, strict=True
            )
        ]


def _of_two(prediction: DigitPrediction) -> float:
    """The probability that it is one of its two likeliest labels."""
    return sum(probability for _, probability in prediction.top(2))


def _sureness(predictions: list[DigitPrediction]) -> float:
    """How much what the network saw looks like digits: the mean of the squared confidences."""
    return sum(one.confidence**2 for one in predictions) / len(predictions)

"""`predict-digit`: the digits on the user's own pictures."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlproj.data.pictures import as_typed, open_picture
from dlproj.errors import DlprojError
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.tools.digit_reader import DigitPrediction, DigitReader, Reading
from dlproj.tools.strip_file import StripFile, is_strip
from dlproj.training.device import choose_machine
from dlproj.visible import visible


def predict_digits(
    paths: Sequence[Path],
    *,
    model: Path | None,
    several: bool,
    strip: StripFile | None,
    device: str,
    console: Console,
    json: bool,
) -> None:
    """Show the digit on each picture; draw where it is, and what the network saw.

    Args:
        paths: the pictures.
        model: file of the network; by default the one that ships.
        several: read all digits of each picture.
        strip: where to draw, if anywhere.
        device: where the network runs.
        console: what shows it.
        json: show one document instead of lines.

    Raises:
        DlprojError: some picture cannot be read, or has no digit; the others are shown before.
    """
    reader = DigitReader(model, choose_machine(device, "fp32"))
    readings: list[Reading] = []
    failures: list[dict[str, str]] = []
    for path in paths:
        if is_strip(path):
            console.note(f"{path}: passed over, because predict-digit drew it")
            continue
        try:
            picture = open_picture(path)
            readings.append(
                reader.read_picture(picture, str(path), several=several, remark=console.note)
            )
        except DlprojError as error:
            name = as_typed(path)
            reason = str(error).removeprefix(f"{name}: ")
            failures.append({"input": name, "error": reason})
            if len(paths) > 1:
                console.error(f"{name}: {reason}")
    if len(failures) == len(paths) == 1:
        raise DlprojError("{input}: {error}".format(**failures[0]))
    if json:
        console.result(_document(reader, readings, failures), ())
    else:
        console.lines(_line(reading.predictions) for reading in readings)
    if strip and readings:
        strip.draw(readings, console)
    if failures:
        raise DlprojError(f"{len(failures)} of {len(paths)} pictures could not be read")


def _document(
    reader: DigitReader, readings: list[Reading], failures: list[dict[str, str]]
) -> dict[str, Any]:
    """Every digit that was read, and every picture that was not."""
    found = [dataclasses.asdict(each) for reading in readings for each in reading.predictions]
    return document(
        "predict-digit",
        model=str(reader.path),
        predictions=found,
        environment=reader.machine.describe(),
        **({"failed": failures} if failures else {}),
    )


def _line(predictions: list[DigitPrediction]) -> str:
    """The number on a picture, as sure as its least sure digit."""
    labels = [prediction.label for prediction in predictions]
    number = ("" if all(len(label) == 1 for label in labels) else " ").join(labels)
    least = min(prediction.confidence for prediction in predictions)
    return f"{visible(predictions[0].input)}\t{visible(number)}\t{least:.4f}"

"""The parts of the page: networks that a browser can compute, and the data beside them."""

import json
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from dlproj.configuration.resolve import read_config_file, resolve
from dlproj.data.digits import Digits, load_digits, to_pixels
from dlproj.data.words import WordData, Words, load_words
from dlproj.errors import DlprojError
from dlproj.experiments.langid import classify
from dlproj.models.files import DIGITS, LANGID, SHIPPED
from dlproj.output.console import Console
from dlproj.reports.finished import Finished
from dlproj.settings import RegressionConfig
from dlproj.tools.demo.curve import curve_history
from dlproj.tools.demo.examples import digit_examples, sample_words, trainings
from dlproj.tools.demo.networks import (
    Described,
    describe_digits,
    describe_languages,
    rounded,
    shortened,
)
from dlproj.tools.demo.origin import command_of, load_network, origin
from dlproj.tools.demo.tensors import as_packed, pack_tensors
from dlproj.training.device import Machine, choose_machine
from dlproj.training.loop import predict

ROBUST, ABLATION = SHIPPED / "robust.safetensors", SHIPPED / "ablation.json"
CHECKED = 1000  # test images, and test words, on which the page's networks are compared
TOLERANCE = 1e-3  # of a probability
BITS = (8, 9, 10, 11, 12, 14, 16)  # for a weight
WEIGHTS = 7_500_000  # letters of the page for all of them

Runs = dict[str, Finished]  # by the part of the page that each is for


@dataclass(frozen=True)
class Network:
    """A network for the page.

    Attributes:
        about: its layers, names and where it is from.
        packed: its tensors as text.
        difference: how far rounding its weights moves a probability, at most.
    """

    about: dict[str, Any]
    packed: str
    difference: float


def gather(runs: Runs, console: Console) -> tuple[dict[str, Network], dict[str, Any]]:
    """Networks and data of the page: of the runs, and for the rest of what ships.

    Raises:
        DlprojError: the page cannot compute a network, or data of a run are not there any more.
    """
    machine = choose_machine("auto", "fp32")
    run = runs.get("digits")
    digits = load_digits(run.config["dataset"] if run else "mnist", _own_data(run))
    words = load_words(_own_data(runs.get("words")))
    # Half of what is allowed, for other inputs are to keep within it, too; more, if it must be.
    for tolerance in (TOLERANCE / 2, 20 * TOLERANCE):
        networks = _digit_networks(runs, digits, machine, tolerance)
        networks["words"] = _word_network(runs.get("words"), words, machine, tolerance)
        if sum(len(network.packed) for network in networks.values()) <= WEIGHTS:
            break
    console.note("looking for the network's mistakes, and learning the curve once more")
    model, _ = load_network(run, DIGITS)
    data = {
        "examples": digit_examples(model.to(machine.device), digits, machine),
        "words": sample_words(words),
        "curve": curve_history(_curve_settings(runs.get("curve"))),
        "ablation": ablation(runs.get("ablation")),
    }
    return networks, data


def _digit_networks(
    runs: Runs, digits: Digits, machine: Machine, tolerance: float
) -> dict[str, Network]:
    """The network of digits, and a robust one of the same classes, if there is one."""
    own = _digit_network(runs.get("digits"), DIGITS, digits, machine, tolerance)
    robust = _digit_network(runs.get("robust"), ROBUST, digits, machine, tolerance)
    if robust.about["labels"] == own.about["labels"]:
        return {"digits": own, "robust": robust}
    if "robust" in runs:
        raise DlprojError(f"{runs['robust'].path}: its classes are not those of the other network")
    return {"digits": own}


def _digit_network(
    run: Finished | None, shipped: Path, digits: Digits, machine: Machine, tolerance: float
) -> Network:
    model, about = load_network(run, shipped)
    images = to_pixels(digits.test.pictures[:CHECKED]).to(machine.device)
    return _network(
        model.to(machine.device),
        describe_digits,
        {"labels": about["labels"], **origin(run, about)},
        lambda network: predict(network, images, machine=machine),
        tolerance,
    )


def _word_network(
    run: Finished | None, data: WordData, machine: Machine, tolerance: float
) -> Network:
    model, about = load_network(run, LANGID)
    test = data.test
    words = Words(test.letters[:CHECKED], test.lengths[:CHECKED], test.labels[:CHECKED])
    return _network(
        model.to(machine.device),
        describe_languages,
        {"labels": about["labels"], "alphabet": about["alphabet"], **origin(run, about)},
        lambda network: classify(network, words.to(machine.device), machine),
        tolerance,
    )


def _network(
    model: nn.Module,
    describe: Callable[[nn.Module], Described],
    about: dict[str, Any],
    logits: Callable[[nn.Module], Tensor],
    tolerance: float,
) -> Network:
    """Describe a network, and pack its tensors in as few bits as keep what it says."""
    parameters = sum(weights.numel() for weights in model.parameters())
    exact, short = logits(model).softmax(1), shortened(model)

    def with_bits(bits: int) -> tuple[nn.Module, float]:
        small = rounded(short, partial(as_packed, bits=bits))
        return small, (exact - logits(small).softmax(1)).abs().max().item()

    most = len(BITS) - 1
    near = bisect_left(BITS, True, hi=most, key=lambda bits: with_bits(bits)[1] <= tolerance)
    small, difference = with_bits(BITS[near])
    layers, tensors = describe(small)
    packed = pack_tensors(tensors, BITS[near])
    described = {**layers, **about, "parameters": parameters, "index": packed["index"]}
    return Network(described, packed["text"], difference)


def ablation(run: Finished | None) -> dict[str, Any]:
    """The trainings with and without BatchNorm."""
    if run is None:
        shipped: dict[str, Any] = json.loads(ABLATION.read_text(encoding="utf-8"))
        return shipped
    return trainings(run.records, run.metrics["cells"], command_of(run))


def _own_data(run: Finished | None) -> Path | None:
    """What a run was trained on instead of what ships."""
    path = run.config["data"] if run else None
    return Path(path) if path else None


def _curve_settings(run: Finished | None) -> RegressionConfig:
    return resolve(RegressionConfig, read_config_file(run.path, run.command) if run else {})

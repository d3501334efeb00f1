"""The parts of the page of `dlproj demo`: of a run, or of what ships."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlproj.config import flag, read_config_file, resolve
from dlproj.data.digits import Digits, load_digits, to_pixels
from dlproj.data.words import WordData, Words, load_words
from dlproj.errors import DlprojError
from dlproj.experiments.finished import EXPERIMENTS, Finished
from dlproj.experiments.langid import classify
from dlproj.experiments.trained import DIGITS, LANGID, SHIPPED, load_model
from dlproj.output.console import Console
from dlproj.settings import RegressionConfig
from dlproj.tools import demo_data
from dlproj.tools.demo_curve import curve_history
from dlproj.tools.demo_networks import Described, describe_digits, describe_languages, rounded
from dlproj.tools.demo_tensors import as_packed, pack_tensors
from dlproj.training.device import Machine, choose_machine
from dlproj.training.loop import predict

ROBUST, ABLATION = SHIPPED / "robust.safetensors", SHIPPED / "ablation.json"
CHECKED = 1000  # images, and words, on which the page's rounded networks are compared
HIDDEN = {"command", "recipe", "threads", "device", "precision"}  # settings of no interest here


@dataclass(frozen=True)
class Part:
    """A network for the page.

    Attributes:
        about: its layers, names and where it is from.
        packed: its tensors as text.
        difference: how far rounding its weights moves any probability, at most.
    """

    about: dict[str, Any]
    packed: str
    difference: float


def gather(
    runs: dict[str, Finished], console: Console
) -> tuple[dict[str, Part], dict[str, Any]]:
    """Networks and data of the page."""
    machine = choose_machine("auto", "fp32")
    digits = _digits_of(runs.get("digits"))
    networks = {"digits": digit_part(runs.get("digits"), DIGITS, digits, machine)}
    model, about = _load(runs.get("digits"), DIGITS)
    console.note("looking for the network's mistakes on the test images")
    data: dict[str, Any] = {"examples": demo_data.examples(model.to(machine.device), digits, machine)}
    robust = digit_part(runs.get("robust"), ROBUST, digits, machine)
    if robust.about["labels"] == about["labels"]:
        networks["robust"] = robust
    elif "robust" in runs:
        raise DlprojError(f"{runs['robust'].path}: its classes are not those of the other network")
    words = load_words(_data_of(runs.get("words")))
    networks["words"] = word_part(runs.get("words"), words, machine)
    data["words"] = demo_data.sample_words(words)
    console.note("learning the curve once more")
    data["curve"] = curve_history(_curve_config(runs.get("curve")))
    data["ablation"] = ablation(runs.get("ablation"))
    return networks, data


def digit_part(run: Finished | None, shipped: Path, digits: Digits, machine: Machine) -> Part:
    """A network of digits."""
    model, about = _load(run, shipped)
    images = to_pixels(digits.test.pictures[:CHECKED]).to(machine.device)
    return _part(
        model.to(machine.device),
        describe_digits,
        {"labels": about["labels"], **_origin(run, about)},
        lambda network: predict(network, images, machine=machine),
    )


def word_part(run: Finished | None, data: WordData, machine: Machine) -> Part:
    """A network of words."""
    model, about = _load(run, LANGID)
    test = data.test
    some = Words(test.letters[:CHECKED], test.lengths[:CHECKED], test.labels[:CHECKED])
    return _part(
        model.to(machine.device),
        describe_languages,
        {"labels": about["labels"], "alphabet": about["alphabet"], **_origin(run, about)},
        lambda network: classify(network, some.to(machine.device), machine),
    )


def _part(
    model: nn.Module,
    describe: Callable[[nn.Module], Described],
    about: dict[str, Any],
    logits: Callable[[nn.Module], Tensor],
) -> Part:
    """Describe a network, pack its tensors, and compare it with what the page will compute."""
    layers, tensors = describe(model)
    packed = pack_tensors(tensors)
    parameters = sum(weights.numel() for weights in model.parameters())
    exact = logits(model).softmax(1)
    difference = (exact - logits(rounded(model, as_packed)).softmax(1)).abs().max().item()
    described = {**layers, **about, "parameters": parameters, "index": packed["index"]}
    return Part(described, packed["text"], difference)


def ablation(run: Finished | None) -> dict[str, Any]:
    """The trainings with and without BatchNorm."""
    if run is None:
        shipped: dict[str, Any] = json.loads(ABLATION.read_text(encoding="utf-8"))
        return shipped
    return demo_data.ablation(run.records, run.metrics["cells"], command_of(run))


def command_of(run: Finished) -> str:
    """The command that makes a run like this: with the flags that its recipe does not say."""
    cls, _ = EXPERIMENTS[run.command]
    config = resolve(cls, read_config_file(run.path, run.command))
    recipe = getattr(config, "recipe", None)
    given = {"adversarial": True} if getattr(config, "adversarial", False) else {}
    usual = resolve(cls, {"recipe": recipe, **given} if recipe else given)
    words = ["dlproj", run.command, *(["--recipe", recipe] if recipe not in {None, "standard"} else [])]
    words += ["--adversarial"] if given else []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in HIDDEN or value == getattr(usual, field.name):
            continue
        if isinstance(value, bool):
            words.append(flag(field.name) if value else flag(f"no_{field.name}"))
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [part for item in values for part in (flag(field.name), str(item))]
    return " ".join(words)


def _load(run: Finished | None, shipped: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a run, or of the first of its seeds."""
    if run is None:
        return load_model(shipped)
    first = run.path / f"seed-{run.seeds[0]}"
    return load_model(first if first.is_dir() else run.path)


def _origin(run: Finished | None, about: dict[str, Any]) -> dict[str, Any]:
    """The command that made a network, and its accuracy on the test data."""
    if run is None:
        origin = about["origin"]
        return {"command": origin["command"], "accuracy": origin["test_accuracy"], "run": None}
    accuracy = next(iter(run.by_seed("test_accuracy").values()))
    return {"command": command_of(run), "accuracy": accuracy, "run": str(run.path)}


def _data_of(run: Finished | None) -> Path | None:
    """What a run was trained on instead of what ships."""
    path = run.config["data"] if run else None
    return Path(path) if path else None


def _digits_of(run: Finished | None) -> Digits:
    return load_digits(run.config["dataset"] if run else "mnist", _data_of(run))


def _curve_config(run: Finished | None) -> RegressionConfig:
    return resolve(RegressionConfig, read_config_file(run.path, run.command) if run else {})

"""The experiments as functions, the networks that they train, and the attacks on any network.

The settings of an experiment are keywords, named as its flags are (`batch_size` is
`--batch-size`) and checked as they are. What cannot be done, or is wrong, raises a `DlprojError`
that says why. Nothing is printed unless it is asked for, and torch's random numbers and threads are
afterwards as they were.
"""

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from torch import nn

from dlproj.attacks import (
    apgd,
    apgd_targeted,
    autoattack,
    bim,
    deepfool,
    ensemble,
    fab,
    fab_targeted,
    fgsm,
    fgsm_sweep,
    mifgsm,
    pgd,
    prepare,
    square,
)
from dlproj.configuration.keywords import (
    AblateBatchnorm,
    Attack,
    TrainDigits,
    TrainLangid,
    TrainRegression,
    signature_of,
    split,
)
from dlproj.configuration.nearest import did_you_mean
from dlproj.configuration.session import Session, settings_of
from dlproj.data.digits import load_digits, to_pixels
from dlproj.errors import CallError, DataWarning, DlprojError, UsageError
from dlproj.experiments import attack as attack_experiment
from dlproj.experiments import batchnorm, digits, langid, regression
from dlproj.guest import check_main_guard, own_torch, saved_on_interrupt
from dlproj.limits import path_of
from dlproj.models import files
from dlproj.models.files import DIGITS, LANGID
from dlproj.reports import finished
from dlproj.reports.finished import Finished
from dlproj.running.perform import perform
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    Config,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
    check_device,
)
from dlproj.tools.digit_images import DigitImages, read_any
from dlproj.tools.digit_reader import DigitPrediction, DigitReader
from dlproj.tools.languages import read_languages
from dlproj.tools.predict import Prediction
from dlproj.training.device import choose_machine

__all__ = [
    "DIGITS",
    "LANGID",
    "DataWarning",
    "DlprojError",
    "Finished",
    "Prediction",
    "UsageError",
    "ablate_batchnorm",
    "apgd",
    "apgd_targeted",
    "attack",
    "autoattack",
    "bim",
    "deepfool",
    "ensemble",
    "fab",
    "fab_targeted",
    "fgsm",
    "fgsm_sweep",
    "load_digits",
    "load_model",
    "load_run",
    "mifgsm",
    "pgd",
    "predict_digits",
    "predict_langid",
    "prepare",
    "square",
    "to_pixels",
    "train_digits",
    "train_langid",
    "train_regression",
]

P = ParamSpec("P")
C = TypeVar("C", bound=Config)


def _with_keywords(
    keywords: Callable[P, C], settings: type[C]
) -> Callable[[Callable[[C, Session], Finished]], Callable[P, Finished]]:
    """Make of a function of settings and session one that takes them as `keywords`."""
    signature = signature_of(keywords, settings, returns=Finished)

    def decorate(function: Callable[[C, Session], Finished]) -> Callable[P, Finished]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> Finished:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                unknown = next((name for name in kwargs if name not in signature.parameters), "")
                meant = did_you_mean(unknown, signature.parameters) if unknown else ""
                raise CallError(f"{function.__name__}: {error}{meant}") from None
            session, own = split(given)
            if session.jobs != 1:
                check_main_guard(session.jobs or 0)
            config = settings_of(settings, own, session)
            with own_torch(), saved_on_interrupt(function.__name__):
                finished = function(config, session)
            for remark in finished.remarks if session.quiet else ():
                warnings.warn(remark, DataWarning, stacklevel=2)
            return finished

        del run.__wrapped__  # its signature is not that of what users call
        run.__signature__ = signature  # type: ignore[attr-defined]
        return run

    return decorate


def _finished(path: Path) -> Finished:
    """A run, which stays to be found when the working folder changes."""
    return finished.load_run(path.absolute())


@_with_keywords(TrainDigits, DigitsConfig)
def train_digits(config: DigitsConfig, session: Session) -> Finished:
    """Train a CNN on MNIST and evaluate it on the test images, as `dlproj train-digits` does."""
    return _finished(perform(digits.run, config, session, show=False))


@_with_keywords(AblateBatchnorm, BatchnormConfig)
def ablate_batchnorm(config: BatchnormConfig, session: Session) -> Finished:
    """Train that CNN with and without BatchNorm, as `dlproj ablate-batchnorm` does."""
    return _finished(perform(batchnorm.run, config, session, show=False))


@_with_keywords(TrainRegression, RegressionConfig)
def train_regression(config: RegressionConfig, session: Session) -> Finished:
    """Fit a small network to a curve, as `dlproj train-regression` does."""
    return _finished(perform(regression.run, config, session, show=False))


@_with_keywords(Attack, AttackConfig)
def attack(config: AttackConfig, session: Session) -> Finished:
    """Make adversarial examples for a trained classifier, as `dlproj attack` does."""
    return _finished(perform(attack_experiment.run, config, session, show=False))


@_with_keywords(TrainLangid, LangidConfig)
def train_langid(config: LangidConfig, session: Session) -> Finished:
    """Train a network that names the language of one word, as `dlproj train-langid` does."""
    return _finished(perform(langid.run, config, session, show=False))


def predict_digits(
    images: DigitImages,
    *,
    several: bool = False,
    model: Path | str | None = None,
    device: str = "auto",
) -> list[DigitPrediction]:
    """Name the digit on each image.

    Args:
        images: pictures of any kind, as files or as Pillow has them, one or many; or, as MNIST has
            them with white ink on black, bytes in 0..255 (or 0 and 1 alone, black and white) or
            floating-point numbers in [0, 1], (28, 28), (n, 28, 28) or (n, 1, 28, 28).
        several: read all digits of each picture, from left to right and line by line; else the
            largest. What is read has its `box`.
        model: a run directory or `.safetensors`; by default the network that ships for pictures.
        device: auto, cpu, cuda, cuda:N or mps.

    Raises:
        UsageError: `images` is none of these.
        DlprojError: a picture cannot be read, or has no digit.
    """
    check_device(device)
    with own_torch():
        reader = DigitReader(_model(model), choose_machine(device, "fp32"))
        return read_any(reader, images, several=_switch("several", several))


def predict_langid(
    words: Iterable[str],
    *,
    text: bool = False,
    model: Path | str | None = None,
    device: str = "auto",
) -> list[Prediction]:
    """Name the language of each word or phrase.

    A word without a letter that the network knows is `unknown`, with confidence 0. A phrase adds
    up the evidence of its words; its prediction has them as `words`, each with its `share`.

    Args:
        words: in any case; none may be blank. What has spaces in it is read as a phrase. A string
            is one word, or one phrase.
        text: read each as a phrase.
        model: a run directory or `.safetensors`; by default the network that ships.
        device: auto, cpu, cuda, cuda:N or mps.
    """
    check_device(device)
    stripped = [*_stripped([words] if isinstance(words, str) else words)]
    with own_torch():
        machine = choose_machine(device, "fp32")
        return read_languages(
            stripped, model=_model(model), machine=machine, phrases=_switch("text", text)
        )


def _stripped(words: Any) -> Iterator[str]:
    """The words without the space around them."""
    if not isinstance(words, Iterable) or isinstance(words, bytes | Mapping):
        raise UsageError(f"words must be a sequence of words, not {type(words).__name__}")
    for place, word in enumerate(words):
        if not isinstance(word, str):
            raise UsageError(
                f"word {place} (counted from 0) must be text, not {type(word).__name__}"
            )
        if not word.strip():
            raise UsageError(f"word {place} (counted from 0) is blank")
        yield word.strip()


def load_model(path: Path | str) -> nn.Module:
    """A trained network, in evaluation mode.

    Args:
        path: a run directory, a `.safetensors`, the course's LeNet as `.pt`; or `DIGITS` or
            `LANGID`, the networks that ship.

    Raises:
        DlprojError: there is no such network; a `UsageError`, where `path` is none.
    """
    with own_torch():
        return files.load_model(path_of("path", path))[0]


def load_run(path: Path | str) -> Finished:
    """One finished run, which stays to be found when the working folder changes.

    Args:
        path: its directory.

    Raises:
        DlprojError: it is none, or its result is damaged or of another version; a `UsageError`,
            where `path` is no path.
    """
    return _finished(path_of("path", path))


def _model(path: Any) -> Path | None:
    return None if path is None else path_of("model", path)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be True or False, not {value!r}")
    return value

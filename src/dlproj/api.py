"""The experiments as functions, the networks that they train, and the attacks on any network.

The settings of an experiment are keywords, named as its flags are (`batch_size` is
`--batch-size`) and checked as they are. What cannot be done, or is wrong, raises a `DlprojError`
that says why. Nothing is printed unless it is asked for, and torch's random numbers and threads are
afterwards as they were.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, get_type_hints

import torch
from torch import nn

from dlproj.attacks import apgd, bim, ensemble, fgsm, fgsm_sweep, mifgsm, pgd, square
from dlproj.data.digits import load_digits, to_pixels
from dlproj.errors import DlprojError, UsageError
from dlproj.experiments import attack as attack_experiment
from dlproj.experiments import batchnorm, digits, langid, regression
from dlproj.models import files
from dlproj.models.files import DIGITS, LANGID
from dlproj.reports.finished import Finished, load_run
from dlproj.running.perform import perform
from dlproj.session import Session, settings_of
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
from dlproj.tools.predict import Prediction, read_words
from dlproj.training.device import choose_machine

__all__ = [
    "DIGITS",
    "LANGID",
    "DlprojError",
    "Finished",
    "Prediction",
    "UsageError",
    "ablate_batchnorm",
    "apgd",
    "attack",
    "bim",
    "ensemble",
    "fgsm",
    "fgsm_sweep",
    "load_digits",
    "load_model",
    "load_run",
    "mifgsm",
    "pgd",
    "predict_digits",
    "predict_langid",
    "square",
    "to_pixels",
    "train_digits",
    "train_langid",
    "train_regression",
]

P = ParamSpec("P")
C = TypeVar("C", bound=Config)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where settings come from, where results go, what is shown: keywords of every experiment.

    Args:
        config: a `config.json` of an earlier run; other keywords win over it.
        out: run directory, by default `runs/<command>/<number>`.
        resume: unfinished run directory to go on with.
        plots: draw the figures.
        progress: show on standard error how it goes.
    """

    config: Path | str | None = None
    out: Path | str | None = None
    resume: Path | str | None = None
    plots: bool = False
    progress: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyPlace(Place):
    """The same for what may train several times.

    Args:
        jobs: trainings at once. More than one are processes of their own, so that the script that
            asks for them needs `if __name__ == "__main__":`, as for all processes of Python.
    """

    jobs: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingPlace(StudyPlace):
    """The same for a training.

    Args:
        tensorboard: also write event files for TensorBoard.
    """

    tensorboard: bool = False


# What each function takes: the settings, then the place.


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Digits(TrainingPlace, DigitsConfig): ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Batchnorm(StudyPlace, BatchnormConfig): ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Regression(TrainingPlace, RegressionConfig): ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Attack(Place, AttackConfig): ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Langid(TrainingPlace, LangidConfig): ...


def _task(
    keywords: Callable[P, Config], settings: type[C]
) -> Callable[[Callable[[C, Session], Finished]], Callable[P, Finished]]:
    """Make of a function of settings and session one that takes them as `keywords`."""
    hints = get_type_hints(keywords)
    signature = inspect.Signature(
        [
            parameter.replace(annotation=hints[name])
            for name, parameter in inspect.signature(keywords).parameters.items()
        ],
        return_annotation=Finished,
    )
    places = {field.name for field in dataclasses.fields(TrainingPlace)}

    def decorate(function: Callable[[C, Session], Finished]) -> Callable[P, Finished]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> Finished:
            given = signature.bind(*args, **kwargs).arguments
            flags = {name: _path(name, value) for name, value in given.items()}
            session = _session(**{name: flags.pop(name) for name in places & given.keys()})
            with _as_guest():
                return function(settings_of(settings, flags, session), session)

        del run.__wrapped__  # its signature is not that of what users call
        run.__signature__ = signature  # type: ignore[attr-defined]
        return run

    return decorate


def _path(name: str, value: Any) -> Any:
    """The value of a keyword, paths of which may be given as text."""
    if isinstance(value, str) and name in {"config", "out", "resume", "data", "model"}:
        return Path(value)
    return value


def _session(*, progress: bool = False, plots: bool = False, **places: Any) -> Session:
    return Session(quiet=not progress, plots=plots, **places)


@contextmanager
def _as_guest() -> Iterator[None]:
    """Give torch's random numbers and number of threads back as they were."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            yield
    finally:
        torch.set_num_threads(threads)


@_task(_Digits, DigitsConfig)
def train_digits(config: DigitsConfig, session: Session) -> Finished:
    """Train a CNN on MNIST and evaluate it on the test images, as `dlproj train-digits` does."""
    return load_run(perform(digits, config, session, show=False))


@_task(_Batchnorm, BatchnormConfig)
def ablate_batchnorm(config: BatchnormConfig, session: Session) -> Finished:
    """Train that CNN with and without BatchNorm, as `dlproj ablate-batchnorm` does."""
    return load_run(perform(batchnorm, config, session, show=False))


@_task(_Regression, RegressionConfig)
def train_regression(config: RegressionConfig, session: Session) -> Finished:
    """Fit a small network to a curve, as `dlproj train-regression` does."""
    return load_run(perform(regression, config, session, show=False))


@_task(_Attack, AttackConfig)
def attack(config: AttackConfig, session: Session) -> Finished:
    """Make adversarial examples for a trained classifier, as `dlproj attack` does."""
    return load_run(perform(attack_experiment, config, session, show=False))


@_task(_Langid, LangidConfig)
def train_langid(config: LangidConfig, session: Session) -> Finished:
    """Train a network that names the language of one word, as `dlproj train-langid` does."""
    return load_run(perform(langid, config, session, show=False))


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
            them with white ink on black, bytes in 0..255 or floating-point numbers in [0, 1],
            (28, 28), (n, 28, 28) or (n, 1, 28, 28).
        several: read all digits of each picture, from left to right and line by line; else the
            largest. What is read has its `box`.
        model: a run directory or `.safetensors`; by default the network that ships for pictures.
        device: auto, cpu, cuda, cuda:N or mps.

    Raises:
        UsageError: `images` is none of these.
        DlprojError: a picture cannot be read, or has no digit.
    """
    check_device(device)
    with _as_guest():
        reader = DigitReader(_path("model", model), choose_machine(device, "fp32"))
        return read_any(reader, images, several=several)


def predict_langid(
    words: Sequence[str], *, model: Path | str | None = None, device: str = "auto"
) -> list[Prediction]:
    """Name the language of each word.

    Args:
        words: in any case; none may be blank.
        model: a run directory or `.safetensors`; by default the network that ships.
        device: auto, cpu, cuda, cuda:N or mps.
    """
    check_device(device)
    words = [word.strip() for word in words]
    if not all(words):
        raise UsageError(f"word {words.index('')} (counted from 0) is blank")
    with _as_guest():
        machine = choose_machine(device, "fp32")
        return read_words(words, model=_path("model", model), machine=machine)


def load_model(path: Path | str) -> nn.Module:
    """A trained network, in evaluation mode.

    Args:
        path: a run directory, a `.safetensors`, the course's LeNet as `.pt`; or `DIGITS` or
            `LANGID`, the networks that ship.
    """
    return files.load_model(Path(path))[0]

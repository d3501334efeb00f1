"""The commands: each hands its checked settings to the experiment of the same name.

torch is imported inside the commands, so that help and wrong flags are answered at once.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from dlproj.errors import DlprojError
from dlproj.flags import command, devices
from dlproj.grid import SweepConfig
from dlproj.session import Session
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
    check_device,
)
from dlproj.sweep_flags import sweep_command
from dlproj.version import __version__


class CommandList(TyperGroup):
    """Shows the commands as plain text, since importing rich would take as long as all else."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "rich_markup_mode": None})


app = typer.Typer(
    name="dlproj",
    cls=CommandList,
    help="Classic deep-learning experiments, one command each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"dlproj {__version__}")
        raise typer.Exit


@app.callback()
def dlproj(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Classic deep-learning experiments, one command each."""


@command(app, DigitsConfig)
def train_digits(config: DigitsConfig, session: Session) -> None:
    """Train a CNN on MNIST and evaluate it on the test images."""
    from dlproj.experiments import digits
    from dlproj.running.perform import perform

    perform(digits, config, session)


@command(app, BatchnormConfig)
def ablate_batchnorm(config: BatchnormConfig, session: Session) -> None:
    """Train that CNN with and without BatchNorm, and compare."""
    from dlproj.experiments import batchnorm
    from dlproj.running.perform import perform

    perform(batchnorm, config, session)


@command(app, RegressionConfig)
def train_regression(config: RegressionConfig, session: Session) -> None:
    """Fit a small network to a curve, or to your own points."""
    from dlproj.experiments import regression
    from dlproj.running.perform import perform

    perform(regression, config, session)


@command(app, AttackConfig)
def attack(config: AttackConfig, session: Session) -> None:
    """Make adversarial examples for a trained classifier."""
    from dlproj.experiments import attack as experiment
    from dlproj.running.perform import perform

    perform(experiment, config, session)


@command(app, LangidConfig)
def train_langid(config: LangidConfig, session: Session) -> None:
    """Train a network that names the language of one word."""
    from dlproj.experiments import langid
    from dlproj.running.perform import perform

    perform(langid, config, session)


@sweep_command(app)
def sweep(config: SweepConfig, session: Session) -> None:
    """Train with every combination of settings; rank them."""
    from dlproj.experiments import sweep as experiment
    from dlproj.running.perform import perform

    perform(experiment, config, session)


Model = Annotated[
    Path | None, typer.Option(help="Run directory or .safetensors; by default, what ships.")
]
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", autocompletion=devices)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("predict-digit")
def predict_digit(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Photos, scans or drawings of digits.")
    ],
    model: Model = None,
    several: Annotated[
        bool, typer.Option("--several", help="Read all digits of each picture, line by line.")
    ] = False,
    strip: Annotated[
        Path | None,
        typer.Option(help="Figure to draw of what the network saw (default predict-digit.png)."),
    ] = None,
    plots: Annotated[bool, typer.Option(help="Draw that figure.")] = True,
    device: Device = "auto",
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks.")] = False,
) -> None:
    """Read your own pictures of digits."""
    check_device(device)
    from dlproj.output.console import Console
    from dlproj.tools.strip_file import StripFile

    figure = StripFile(strip) if plots else None
    if figure:
        figure.spare(images)
    from dlproj.tools.predict_digit import predict_digits

    predict_digits(
        images,
        model=model,
        several=several,
        strip=figure,
        device=device,
        console=Console(quiet=quiet, json=json),
        json=json,
    )


@app.command("predict-langid")
def predict_langid(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD...", help="Words; - reads standard input.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File of words, one a line.")] = None,
    model: Model = None,
    device: Device = "auto",
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks.")] = False,
) -> None:
    """Name the language of your own words."""
    check_device(device)
    from dlproj.data.words import read_lines
    from dlproj.output.console import Console
    from dlproj.tools.predict import predict_languages

    if file is not None:
        words = [*(words or []), *read_lines(file)]
    elif words == ["-"]:
        words = read_lines(None)
    predict_languages(
        words or [],
        model=model,
        device=device,
        console=Console(quiet=quiet, json=json),
        json=json,
    )


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run directory, .safetensors, or course's LeNet.")
    ],
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["onnx"], typer.Option("--format", help="Kind of file.")
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="File to write (default model.onnx in RUN).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks.")] = False,
) -> None:
    """Write a trained network for other tools, as ONNX."""
    from dlproj.output.console import Console
    from dlproj.tools.export import export_onnx

    export_onnx(model, out, force=force, console=Console(quiet=quiet, json=json))


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a finished run.")],
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks.")] = False,
) -> None:
    """Compute a finished run again: is every number the same?"""
    from dlproj.output.console import Console
    from dlproj.reports import verify as task

    if not task.verify(run, console=Console(quiet=quiet, json=json)):
        raise DlprojError(f"{run}: computed again, it came out differently")


@app.command()
def report(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Runs, or folders of runs (default runs)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("report.html"),
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks.")] = False,
) -> None:
    """Write one page of finished runs, claims and figures."""
    from dlproj.output.console import Console
    from dlproj.reports import page

    page.report(runs or [], out, force=force, console=Console(quiet=quiet, json=json))


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="Directories of finished runs.")
    ],
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks.")] = False,
) -> None:
    """Show what differs between runs of one kind, and test it."""
    from dlproj.output.console import Console
    from dlproj.reports import compare as task

    task.compare(runs, console=Console(quiet=quiet, json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Check the installation: versions, data and devices."""
    from dlproj.output.console import Console
    from dlproj.tools.doctor import examine

    if not examine(console=Console(json=json)):
        raise DlprojError("the installation has faults: see what is marked WRONG")

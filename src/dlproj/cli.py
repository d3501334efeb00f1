"""The commands: each hands its checked settings to the experiment of the same name.

torch is imported inside the commands, so that help and wrong flags are answered at once.
"""

import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from dlproj.commandline.flags import command, devices
from dlproj.commandline.sweep_flags import sweep_command
from dlproj.configuration.grid import SweepConfig
from dlproj.configuration.session import Session
from dlproj.errors import DlprojError, UsageError
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
    check_device,
)
from dlproj.version import __version__


class CommandList(TyperGroup):
    """Shows the commands as plain text, since importing rich would take as long as all else."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "rich_markup_mode": None})

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Without any words, help is what is asked for."""
        return super().parse_args(ctx, args or ["--help"])

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Run the command line; what is wrong with it is said in our own words."""
        words = arguments[0] if arguments else sys.argv[1:]
        try:
            dashes = [word.startswith("-") for word in words]
            if any(not word or word.endswith("=") for word in words) or any(
                map(all, pairwise(dashes))
            ):
                from dlproj.commandline.wrong_use import refuse_missing_values

                refuse_missing_values(self, words)
            return super().main(words, **settings)
        except typer.TyperException as error:
            from dlproj.commandline.wrong_use import explain

            raise UsageError(explain(error, self, words)) from None
        except typer.Abort:
            raise DlprojError("aborted") from None


app = typer.Typer(
    name="dlproj",
    cls=CommandList,
    help="Classic deep-learning experiments, one command each.",
    context_settings={"help_option_names": ["--help", "-h"]},
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

    perform(digits.run, config, session)


@command(app, BatchnormConfig)
def ablate_batchnorm(config: BatchnormConfig, session: Session) -> None:
    """Train that CNN with and without BatchNorm, and compare."""
    from dlproj.experiments import batchnorm
    from dlproj.running.perform import perform

    perform(batchnorm.run, config, session)


@command(app, RegressionConfig)
def train_regression(config: RegressionConfig, session: Session) -> None:
    """Fit a small network to a curve, or to your own points."""
    from dlproj.experiments import regression
    from dlproj.running.perform import perform

    perform(regression.run, config, session)


@command(app, AttackConfig)
def attack(config: AttackConfig, session: Session) -> None:
    """Make adversarial examples for a trained classifier."""
    from dlproj.experiments import attack as experiment
    from dlproj.running.perform import perform

    perform(experiment.run, config, session)


@command(app, LangidConfig)
def train_langid(config: LangidConfig, session: Session) -> None:
    """Train a network that names the language of one word."""
    from dlproj.experiments import langid
    from dlproj.running.perform import perform

    perform(langid.run, config, session)


@sweep_command(app)
def sweep(config: SweepConfig, session: Session) -> None:
    """Train with every combination of settings; rank them."""
    from dlproj.experiments import sweep as experiment
    from dlproj.running.perform import perform

    perform(experiment.run, config, session)


Model = Annotated[
    Path | None,
    typer.Option(help="Use the network of a run or a .safetensors, not the one that ships."),
]
Device = Annotated[
    str,
    typer.Option(
        help="Choose where to compute: auto, cpu, cuda, cuda:N or mps.", autocompletion=devices
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no remarks.")]
Force = Annotated[bool, typer.Option("--force", help="Write over an existing file.")]


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
        typer.Option(help="Draw what the network saw to this file (default predict-digit.png)."),
    ] = None,
    plots: Annotated[bool, typer.Option(help="Draw that figure.")] = True,
    device: Device = "auto",
    json: Json = False,
    quiet: Quiet = False,
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
        list[str] | None,
        typer.Argument(metavar="WORD...", help="Words or phrases; - reads standard input."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Also read this file, a word or phrase a line.")
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="Read the words as one phrase, and lines as phrases.")
    ] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="List this many of the likeliest languages.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file or standard input, where it is not found out.")
    ] = None,
    model: Model = None,
    device: Device = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Name the language of your own words and phrases."""
    check_device(device)
    from dlproj.data.text.files import is_table, read_lines
    from dlproj.dialect import Dialect
    from dlproj.output.console import Console
    from dlproj.tools.languages import predict_languages

    Dialect(encoding=encoding)  # refuses one that Python does not know
    console = Console(quiet=quiet, json=json)

    def read(path: Path | None) -> list[str]:
        lines = read_lines(path, encoding)
        if is_table(lines):
            where = path or "standard input"
            console.remark(f"{where} looks like a table; each row is read as one word or phrase")
        return lines

    given = [" ".join(words)] if text and words and "-" not in words else words or []
    inputs = [line for word in given for line in (read(None) if word == "-" else [word])]
    if file is not None:
        inputs += read(None if file == Path("-") else file)
    predict_languages(
        inputs,
        model=model,
        top=top,
        phrases=text,
        device=device,
        console=console,
        json=json,
    )


@app.command("build-words")
def build_words(
    languages: Annotated[str, typer.Option(help="Take these languages, as in de,fr,it,en.")],
    out: Annotated[Path, typer.Option(help="Write this .csv file.")],
    words: Annotated[
        int,
        typer.Option(
            min=100, max=1_000_000, help="Take this many of the most frequent words of each."
        ),
    ] = 80_000,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a list of words in languages of your choice, for train-langid."""
    from dlproj.output.console import Console
    from dlproj.tools.build_words import write_words

    write_words(languages, out, most=words, force=force, console=Console(quiet=quiet, json=json))


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run directory, .safetensors, or course's LeNet.")
    ],
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["onnx"], typer.Option("--format", help="Choose the kind of file.")
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="Write this file (default model.onnx in RUN).")
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a trained network for other tools, as ONNX."""
    from dlproj.output.console import Console
    from dlproj.tools.export import export_onnx

    export_onnx(model, out, force=force, console=Console(quiet=quiet, json=json))


@app.command()
def verify(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Finished runs, or folders of runs.")
    ],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compute finished runs again: is every number the same?"""
    from dlproj.output.console import Console
    from dlproj.reports import verify as task

    if not task.verify(runs, console=Console(quiet=quiet, json=json)):
        raise DlprojError(f"{', '.join(map(str, runs))}: computed again, it came out differently")


@app.command()
def report(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Runs, or folders of runs (default runs)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Write this file.")] = Path("report.html"),
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write one page of finished runs, claims and figures."""
    from dlproj.output.console import Console
    from dlproj.reports import page

    page.report(runs or [], out, force=force, console=Console(quiet=quiet, json=json))


@app.command()
def demo(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Finished runs; parts without one show what ships."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Write this file.")] = Path("demo.html"),
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a page to play with: draw, fool, type, watch."""
    from dlproj.output.console import Console
    from dlproj.tools.demo.page import demo as write_demo

    write_demo(runs or [], out, force=force, console=Console(quiet=quiet, json=json))


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="The directories of finished runs.")
    ],
    json: Json = False,
    quiet: Quiet = False,
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

"""A page to play with: draw a digit, fool the network, type a word, watch a curve being learnt."""

from collections.abc import Sequence
from pathlib import Path

from dlproj.errors import DlprojError
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.html import render_demo
from dlproj.output.tables.base import Table
from dlproj.reports.finished import load_run
from dlproj.store.runs import write_file
from dlproj.tools.demo.parts import TOLERANCE, Network, Runs, gather
from dlproj.version import __version__

LARGEST = 8_000_000  # bytes of a page
PARTS = {
    "train-digits": "digits",  # or "robust", with adversarial images
    "train-langid": "words",
    "train-regression": "curve",
    "ablate-batchnorm": "ablation",
}


def demo(paths: Sequence[Path], out: Path, *, force: bool, console: Console) -> None:
    """Write a page of some runs, and of what ships where none of them is of a kind.

    Args:
        paths: finished runs: of `train-digits` (one as it is, one with `--adversarial`),
            `train-langid`, `train-regression` and `ablate-batchnorm`.
        out: the file to write.
        force: write over a file that is there.
        console: where to say what was done.

    Raises:
        DlprojError: a run is not finished, of another kind, there twice, or of a network that the
            page cannot compute; or the page cannot be written.
    """
    if out.exists() and not force:
        raise DlprojError(f"--out {out}: exists already; name another file, or add --force")
    runs = by_part(paths)
    networks, data = gather(runs, console)
    page = render_demo(
        {
            "version": __version__,
            "networks": {name: network.about for name, network in networks.items()},
            "weights": {name: network.packed for name, network in networks.items()},
            "data": data,
        }
    ).encode()
    check_size(len(page), networks)
    try:
        write_file(out, page)
    except OSError as error:
        raise DlprojError(f"--out {out}: cannot be written ({error.strerror})") from None
    show(out, len(page), runs, networks, console)


def by_part(paths: Sequence[Path]) -> Runs:
    """The runs by the part of the page that each is for."""
    runs: Runs = {}
    for path in paths:
        run = load_run(path)
        part = PARTS.get(run.command)
        if part is None:
            raise DlprojError(
                f"{path}: a run of {run.command}; the page takes runs of {', '.join(PARTS)}"
            )
        if part == "digits" and run.config.get("adversarial"):
            part = "robust"
        if part in runs:
            raise DlprojError(
                f"{path}: {runs[part].path} is of the same kind; the page takes one of each"
            )
        runs[part] = run
    return runs


def check_size(size: int, networks: dict[str, Network]) -> None:
    """Refuse a page that is too large to be sent about."""
    if size <= LARGEST:
        return
    shares = ", ".join(
        f"{name} {len(network.packed) / 1e6:.1f}" for name, network in networks.items()
    )
    raise DlprojError(
        f"the page would have {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f} "
        f"(weights in MB: {shares}); leave out the run of the largest"
    )


def show(out: Path, size: int, runs: Runs, networks: dict[str, Network], console: Console) -> None:
    """Say what is in the page, and how near its numbers are to torch's."""
    found = document(
        "demo",
        file=str(out),
        runs={part: str(run.path) for part, run in runs.items()},
        metrics={
            "bytes": size,
            "max_difference": {name: network.difference for name, network in networks.items()},
        },
    )
    rows = [["file", str(out)], ["size", f"{size / 1e6:.1f} MB"]]
    rows += [
        [f"largest difference, {name}", f"{network.difference:.1g}"]
        for name, network in networks.items()
    ]
    console.result(found, [Table("Page", ("", ""), rows)])
    for name, network in networks.items():
        if network.difference > TOLERANCE:
            console.note(
                f"the page's {name} have rounded weights: probabilities up to "
                f"{network.difference:.1g} from torch's"
            )
    console.note(f"open {out} in a browser")

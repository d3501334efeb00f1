"""The result of `ablate-batchnorm` for people."""

from collections.abc import Sequence
from typing import Literal

from dlproj.output.tables.base import Table, by_seed, explanations_table
from dlproj.results import BatchnormMetrics, BatchnormTiming
from dlproj.results.batchnorm import Rates

ARMS: tuple[Literal["with"], Literal["without"]] = ("with", "without")


def tables(metrics: BatchnormMetrics, timing: BatchnormTiming) -> list[Table]:
    """The result for people."""
    rows = []
    for cell in metrics["cells"]:
        low, high = (100 * bound for bound in cell["ci95"])
        rows.append(
            [
                f"{cell['lr']:g}",
                *(f"{100 * cell[arm]['mean']:.2f} ± {100 * cell[arm]['std']:.2f}" for arm in ARMS),
                f"{100 * cell['difference']:+.2f} ({low:+.1f}, {high:+.1f})",
                "" if cell["p_value"] is None else f"{cell['p_value']:.2g}",
                f"{cell['with']['diverged']}, {cell['without']['diverged']}",
            ]
        )
    columns = ("rate", "with, %", "without, %", "points (95 %)", "p", "diverged")
    verdicts = [[part] for part in metrics["verdict"].split("; ")]
    title = f"Test accuracy; {timing['train_seconds']:.0f} s of training"
    result = [Table(title, columns, rows), Table("Verdict", ("",), verdicts)]
    if "diagnosis" in metrics:
        diagnosis = metrics["diagnosis"]
        result.append(rates_table(diagnosis["rates"], diagnosis["seed"]))
        result.append(explanations_table(diagnosis["claims"]))
    if "norms" in metrics:
        result.append(explanations_table(metrics["norms"]["claims"]))
    return result


def rates_table(rates: Rates, seed: int) -> Table:
    """What each arm reaches in a short training at rates far apart, of one seed."""
    arms: tuple[Literal["with", "without", "noisy"], ...] = (*ARMS, "noisy")
    rows = [
        [f"{lr:g}", *(f"{100 * rates[arm]['accuracy'][index]:.1f}" for arm in arms)]
        for index, lr in enumerate(rates["lr"])
    ]
    return Table(f"Accuracy after a short training, %; seed {seed}", ("rate", *arms), rows)


def headline(metrics: BatchnormMetrics) -> str:
    """The number that matters most."""
    return metrics["verdict"]


def scalars(metrics: BatchnormMetrics, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The numbers to compare between runs, by seed."""
    return {
        f"{arm} BatchNorm at {cell['lr']:g}": by_seed(values, seeds)
        for cell in metrics["cells"]
        for arm, values in (("with", cell["with"]), ("without", cell["without"]))
    }

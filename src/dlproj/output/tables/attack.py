"""The result of `attack` for people."""

from collections.abc import Sequence

from dlproj.output.tables.base import Table, by_seed, explanations_table
from dlproj.output.text import percent
from dlproj.results import AttackMetrics, AttackTiming
from dlproj.results.attack import Transfer


def tables(metrics: AttackMetrics, timing: AttackTiming) -> list[Table]:
    """The result for people."""
    rows = [
        [
            f"{row['epsilon']:g}",
            f"{row['accuracy']:.2%}",
            f"{row['success_rate']:.2%}",
            f"{row['max_perturbation']:.4f}",
            f"{row['seconds']:.2f} s",
        ]
        for row in metrics["attacks"]
    ]
    first = metrics["attacks"][0]
    title = (
        f"{first['method'].upper()} ({first['norm']}) on {metrics['images']:,} images; "
        f"clean accuracy {metrics['clean_accuracy']:.2%}; {timing['attack_seconds']:.1f} s"
    )
    result = [Table(title, ("epsilon", "accuracy", "success", "largest change", "time"), rows)]
    if "diagnosis" in metrics:
        diagnosis = metrics["diagnosis"]
        result += [transfer_table(diagnosis["transfer"]), explanations_table(diagnosis["claims"])]
    return result


def transfer_table(transfer: Transfer) -> Table:
    """How often images made for one network fool another."""
    names = transfer["networks"]
    rows = [
        [name, *(f"{share:.1%}" for share in shares)]
        for name, shares in zip(names, transfer["success"], strict=True)
    ]
    return Table("Images made for (rows) fool (columns)", ("", *names), rows)


def headline(metrics: AttackMetrics) -> str:
    """The number that matters most."""
    last = metrics["attacks"][-1]
    return f"{percent(last['accuracy'])} left by {last['method']} at ε = {last['epsilon']:g}"


def scalars(metrics: AttackMetrics, seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The numbers to compare between runs, by seed."""
    left = {f"accuracy at {row['epsilon']:g}": row["accuracy"] for row in metrics["attacks"]}
    found = {"images": metrics["images"], "clean_accuracy": metrics["clean_accuracy"], **left}
    return {name: by_seed(value, seeds) for name, value in found.items()}

"""What is said of a claim, and the finished runs that say it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlproj.configuration.grid import SETTINGS
from dlproj.configuration.resolve import resolve, to_dict
from dlproj.diagnosis.judge import VERDICTS
from dlproj.diagnosis.samples import describe_test
from dlproj.reports.finished import Finished
from dlproj.statistics import FEWEST, compare, decide, describe, pairs_to_decide

ENOUGH = FEWEST  # seeds, to say anything
FREE = {
    "command",
    "recipe",
    "seed",
    "seeds",
    "device",
    "threads",
    "data",
    "lr",
    "diagnose",
    "norms",
}
COURSE_WORDS = "lang_id.npz"
WORDS = f"train-langid --recipe report --seeds 5 --data {COURSE_WORDS}"


@dataclass(frozen=True)
class Claim:
    """Something that the report says, what was measured of it here, and what follows."""

    claim: str
    command: str  # that measures it
    measured: str = ""
    # "reproduced" or "not reproduced" of a number; "supported", "not supported", "mixed" or
    # "undecided" of anything else; "too few seeds"; "not measured"
    verdict: str = "not measured"
    reason: str = ""
    source: str = ""  # the sentence, translated, and its place


Runs = Sequence[Finished]
Measure = Callable[[Runs], Claim]


def at_report_settings(runs: Runs, command: str, **changed: Any) -> Iterator[Finished]:
    """The runs of a command whose every setting that matters is the report's, but for some."""
    wanted = to_dict(resolve(SETTINGS[command], {"recipe": "report"})) | changed
    for run in runs:
        if run.command == command and all(
            run.config.get(name, value) == (list(value) if isinstance(value, tuple) else value)
            for name, value in wanted.items()
            if name not in FREE or (name == "lr" and command != "ablate-batchnorm")
        ):
            yield run


def on_the_courses_data(runs: Runs, command: str, **changed: Any) -> Iterator[Finished]:
    """Of those, the ones trained on what the course gave: MNIST, sin(x) and its words."""
    for run in at_report_settings(runs, command, **changed):
        own = Path(run.config["data"]).name if run.config.get("data") else None
        if own == (COURSE_WORDS if command == "train-langid" else None):
            yield run


def sample(runs: Runs, command: str, metric: str, **changed: Any) -> dict[int, float]:
    """A metric of all runs at the report's own settings, but for some, by seed."""
    values: dict[int, float] = {}
    for run in on_the_courses_data(runs, command, **changed):
        values |= run.by_seed(metric)
    return values


def folders(runs: Runs, command: str, **changed: Any) -> dict[int, Path]:
    """Where each single training of those runs left its network, by seed."""
    found: dict[int, Path] = {}
    for run in on_the_courses_data(runs, command, **changed):
        for seed in run.seeds:
            folder = run.path / f"seed-{seed}" if len(run.seeds) > 1 else run.path
            if (folder / "model.safetensors").is_file():
                found[seed] = folder
    return found


def sweeps_of(runs: Runs, command: str, varied: set[str]) -> Iterator[Finished]:
    """Sweeps of a command over just these settings, with the report's others."""
    for run in runs:
        if run.command == "sweep" and run.metrics["experiment"] == command:
            grid = run.config["grid"]
            told = set(grid) == varied | {"recipe"} | (set(grid) & {"validation"})
            if told and grid["recipe"] == ["report"]:
                yield run


def values_by_seed(cell: dict[str, Any]) -> dict[int, float]:
    """The score of a cell of a sweep, by seed."""
    return dict(zip(cell["seeds"], cell["score"]["values"], strict=True))


def by_tests(
    claim: str,
    command: str,
    measured: str,
    pairs: Sequence[tuple[dict[int, float], dict[int, float]]],
    *,
    matters: float,
    harmless: bool = False,
) -> Claim:
    """A claim by paired tests, adjusted together, of numbers by seed: the first exceeds the second.

    Supported where each test shows it, not supported where one shows that it is not so, by
    `dlproj.statistics.decide`; else undecided.

    Args:
        claim: the claim.
        command: that measures it.
        measured: what was found, in words.
        pairs: of each test, two numbers by seed.
        matters: the smallest difference that is worth anything.
        harmless: it claims the opposite: that no first exceeds its second by anything worth it.
    """
    seeds = [sorted(one.keys() & other.keys()) for one, other in pairs]
    if not pairs or not all(seeds):
        return Claim(claim, command)
    if min(map(len, seeds)) < ENOUGH:
        return Claim(claim, command, measured, "too few seeds", f"{ENOUGH} are needed")
    tests = compare(
        [
            ([one[seed] for seed in shared], [other[seed] for seed in shared])
            for (one, other), shared in zip(pairs, seeds, strict=True)
        ]
    )
    decisions = [decide(test, matters) for test in tests]
    if harmless:
        decisions = [{"more": "no more", "no more": "more"}.get(each, each) for each in decisions]
    reason = "; ".join(describe_test(test) for test in tests)
    decision = next((each for each in ("no more", "undecided") if each in decisions), "more")
    if decision == "undecided":
        needed = [
            pairs_to_decide(test, matters)
            for test, each in zip(tests, decisions, strict=True)
            if each == "undecided"
        ]
        reason += f"; about {max(needed):,} seeds would decide it"
    return Claim(claim, command, measured, VERDICTS[decision], reason)


def by_rule(
    claim: str,
    command: str,
    measured: str,
    reason: str,
    *,
    supported: bool,
    refuted: bool,
    seeds: int | None = None,
) -> Claim:
    """A claim by a rule that needs no test; neither of the two is "mixed".

    Of what chance has a part in, so many seeds were measured.
    """
    if seeds is not None and seeds < ENOUGH:
        return Claim(claim, command, measured, "too few seeds", f"{ENOUGH} are needed")
    verdict = "supported" if supported else "not supported" if refuted else "mixed"
    return Claim(claim, command, measured, verdict, reason)


def spread(values: Sequence[float]) -> str:
    """The mean of shares over seeds, with its interval, in words."""
    summary = describe(values)
    low, high = summary["ci95"]
    seeds = f"{len(values)} seed" + "s" * (len(values) > 1)
    return f"{summary['mean']:.2%} (95 % interval {low:.2%} to {high:.2%}), {seeds}"


def mean(values: dict[int, float]) -> float:
    """Over the seeds; 0 of none."""
    return sum(values.values()) / max(1, len(values))

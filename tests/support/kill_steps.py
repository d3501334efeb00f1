"""Kill each kind of training after each of its steps, go on, and compare with one left alone.

Usage: python tests/support/kill_steps.py all|some FOLDER

A step in three is saved, so that most of what was done since must be done again, from the middle
of an epoch too. Weights, records, predictions and metrics must come out the same to the byte, and
once for each kind of training the figures too. Prints a JSON object: for each training how often
it was killed, and what was wrong.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from dlproj.output.console import Console
from tests.conftest import write_digits
from tests.support.forked import dlproj, fork, warm_up

WORDS = "--data ../../words.csv --epochs 2 --batch-size 30"
DIGITS = "--data ../../images --epochs 2 --batch-size 40"
TRAININGS = {
    "digits": f"train-digits {DIGITS}",
    "digits best": f"train-digits {DIGITS} --recipe best --validation 20",
    "digits fast": f"train-digits {DIGITS} --recipe fast",
    "digits adversarial": f"train-digits {DIGITS} --adversarial --steps 1 --batch-size 50",
    "digits seeds": f"train-digits {DIGITS} --recipe fast --epochs 1 --seeds 2 --jobs 1",
    "regression": "train-regression --epochs 2 --batch-size 512",
    "regression report": "train-regression --recipe report --epochs 1 --batch-size 512",
    "regression best": "train-regression --recipe best --epochs 4",
    "langid": f"train-langid {WORDS}",
    "langid report": f"train-langid {WORDS} --recipe report --epochs 1",
    "langid best": f"train-langid {WORDS} --recipe best --epochs 1",
}
SESSION = "--threads 1 --quiet --checkpoint-every 3"


def killed_after(steps: int) -> Any:
    """Have the process killed as it asks for one more step than so many."""
    watch, seen = Console.watch, 0

    def until(console: Console, every: Any, unit: str) -> Iterator[Any]:
        nonlocal seen
        for step in watch(console, every, unit):
            if seen == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1
            yield step

    return mock.patch.object(Console, "watch", until)


def files(run: Path) -> dict[str, bytes]:
    """What must be the same, by name; of the result, all but its times."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.name == "result.json":
            metrics = json.loads(path.read_bytes())["metrics"]
            found[name] = json.dumps(metrics).encode()
        elif path.is_file() and path.name != ".lock" and path.parent.name != "checkpoint":
            found[name] = path.read_bytes()
    return found


def kill_and_resume(name: str, *, some: bool, folder: Path) -> dict[str, Any]:
    """Kill a training after each step, or some. Returns how often, and the problems."""
    line, problems = TRAININGS[name].split(), {}
    start = [*line, *SESSION.split(), "--out", "run"]
    again = [line[0], "--resume", "run", "--quiet"]

    def killed(steps: int, plots: str) -> int:
        with killed_after(steps):
            return dlproj(*start, plots)

    assert fork(folder / "whole", partial(dlproj, *start)) == 0, (folder / "whole/err").read_text()
    whole = files(folder / "whole/run")
    steps = sum(data.count(b"\n") for path, data in whole.items() if path.endswith(".jsonl"))
    chosen = [steps // 2] if some else range(steps)
    for step in chosen:
        place, drawn = folder / str(step), step == steps // 2
        plots = "--plots" if drawn else "--no-plots"
        if fork(place, partial(killed, step, plots)) != -signal.SIGKILL:
            problems[step] = "was not killed: " + (place / "err").read_text()
        elif fork(place, partial(dlproj, *again, plots)) != 0:
            problems[step] = "could not go on: " + (place / "err").read_text()
        else:
            came = files(place / "run")
            wanted = {each: data for each, data in whole.items() if drawn or ".png" not in each}
            wrong = [each for each in wanted.keys() | came if wanted.get(each) != came.get(each)]
            if wrong:
                problems[step] = f"differ: {', '.join(sorted(wrong))}"
        shutil.rmtree(place)
    return {"killed": len(chosen), "problems": problems}


def main() -> None:
    """Kill all of them."""
    some, folder = sys.argv[1] == "some", Path(sys.argv[2]).resolve()
    warm_up(folder)
    write_digits(folder / "images", train=200, test=40)
    words = "\n".join(
        f"{'ab' * (n % 3 + 1)}{n:02d},one\n{'xy' * (n % 2 + 1)}{n:02d},two" for n in range(60)
    )
    (folder / "words.csv").write_text(words)
    found = {
        name: kill_and_resume(name, some=some, folder=folder / name.replace(" ", "-"))
        for name in TRAININGS
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""Signal a command at many moments from its start to its end, and go on with what it left.

Usage: python tests/support/signal_moments.py MOMENTS FOLDER COMMAND...

Moments are told by the processor time that the command has used, so that a busy machine changes
nothing: they pass through reading, training, evaluation, attack and figures. SIGINT and SIGTERM
take turns. Prints a JSON object: for each command how many signals met it at work, after how many
of those it had something to go on with, and what was wrong.
"""

import json
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.conftest import write_digits
from tests.support.forked import dlproj, fork, warm_up
from tests.support.kill_steps import files

DIGITS = "--data ../../digits --threads 1 --quiet"
COMMANDS = {
    "train-digits": f"train-digits {DIGITS} --epochs 2 --checkpoint-every 3",
    "train-regression": "train-regression --epochs 4 --checkpoint-every 3 --quiet",
    "train-langid": "train-langid --data ../../words.csv --epochs 1 --threads 1 --quiet",
    "attack": f"attack {DIGITS} --epsilon 0.1 --method pgd",
    "ablate-batchnorm": f"ablate-batchnorm {DIGITS} --seeds 1 --images 100",
}
NUMBERS = (".safetensors", ".jsonl", "config.json")  # an attack's result holds its seconds


def run(line: list[str], signum: int = 0, seconds: float = 0.0) -> int:
    """Run a command that gets a signal when it has worked so long."""
    signal.signal(signal.SIGPROF, lambda *_: signal.raise_signal(signum))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    return dlproj(*line)


def problem(place: Path, code: int, signum: int, whole: dict[str, bytes]) -> str | None:
    """What is wrong with how a command ended, and with going on from there."""
    err, path = (place / "err").read_text(), place / "run"
    finished = (path / "result.json").exists()
    if code == 0 and finished:
        return None
    if code != 128 + signum or err.count("\n") != 1 or "interrupted by" not in err:
        return f"ended with {code}: {err}"
    if "--resume" not in err:
        return "left something behind" if path.exists() else None
    command = err.split("dlproj ")[-1].split()
    if fork(place, lambda: dlproj(*command, "--quiet", "--no-plots")) != 0:
        return "could not go on: " + (place / "err").read_text()
    came = files(path)
    wrong = [name for name in whole if name.endswith(NUMBERS) and whole[name] != came.get(name)]
    return f"differ: {', '.join(wrong)}" if wrong else None


def interrupt(name: str, moments: int, folder: Path) -> dict[str, Any]:
    """Signal one command at so many moments."""
    line = [*COMMANDS[name].split(), "--out", "run"]
    before = os.times()
    assert fork(folder / "whole", lambda: run(line)) == 0, (folder / "whole/err").read_text()
    after = os.times()
    seconds = after[2] + after[3] - before[2] - before[3]  # of children that have ended
    whole = files(folder / "whole/run")
    met, resumed, problems = 0, 0, {}
    for number in range(moments):
        signum = (signal.SIGINT, signal.SIGTERM)[number % 2]
        moment = seconds * (number + 0.5) / moments
        place = folder / str(number)
        code = fork(place, partial(run, line, signum, moment))
        met += code != 0
        resumed += "--resume" in (place / "err").read_text()
        found = problem(place, code, signum, whole)
        if found:
            problems[f"{moment:.3f} s"] = found
        shutil.rmtree(place)
    return {"met": met, "resumed": resumed, "problems": problems}


def main() -> None:
    """Signal all commands that are named."""
    moments, folder, names = int(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3:]
    warm_up(folder)
    write_digits(folder / "digits", train=200, test=40)
    words = "".join(f"{'ab' * (n % 3 + 1)}{n:02d},{n % 2}\n" for n in range(120))
    (folder / "words.csv").write_text(words)
    print(json.dumps({name: interrupt(name, moments, folder / name) for name in names}))


if __name__ == "__main__":
    main()

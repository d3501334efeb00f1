"""Signal a command at many moments while it draws its figures, and go on with what it left.

Usage: python tests/support/signal_drawing.py MOMENTS FOLDER COMMAND...

The command runs up to its figures once. There it is forked for each moment and each of SIGINT and
SIGTERM, so that a moment costs no more than drawing, and going on. Moments are told by the
processor time since then. Prints a JSON object: for each command how many signals met it, how
they ended by exit code, and what was wrong.
"""

import json
import os
import shutil
import signal
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from tests.conftest import write_digits
from tests.support.forked import dlproj, start, wait, warm_up
from tests.support.kill_steps import files
from tests.support.signal_moments import problem

DIGITS = "--data ../../digits --threads 1 --quiet"
COMMANDS = {
    "train-digits": f"train-digits {DIGITS} --epochs 1 --batch-size 100",
    "attack": f"attack {DIGITS} --epsilon 0.1",
}
FIGURES = {"train-digits": "digits", "attack": "attack"}


class Moments:
    """Stands in for `draw` of a command's figures: there, the process is forked many times."""

    def __init__(self, name: str, moments: int, folder: Path) -> None:
        figures = import_module(f"dlproj.output.figures.{FIGURES[name]}")
        self.draw, self.moments, self.folder = figures.draw, moments, folder
        mock.patch.object(figures, "draw", self).start()

    def __call__(self, *arguments: Any) -> None:
        """Draw without a signal first, to know how long that takes; then with one, many times."""
        seconds = self._seconds(arguments)
        for number in range(self.moments):
            for signum in (signal.SIGINT, signal.SIGTERM):
                place = self.folder / f"{number}-{signum}"
                shutil.copytree("run", place / "run")
                process = self._fork(place)
                if process == 0:  # goes on from here to the end of the command
                    moment = seconds * (number + 0.5) / self.moments
                    signal.signal(signal.SIGPROF, lambda *_, by=signum: signal.raise_signal(by))
                    signal.setitimer(signal.ITIMER_PROF, moment)
                    return self.draw(*arguments)
                (place / "code").write_text(str(wait(process)))
        return self.draw(*arguments)

    def _seconds(self, arguments: tuple[Any, ...]) -> float:
        """Processor time that the figures take."""
        before = os.times()
        process = os.fork()
        if process == 0:
            self.draw(*arguments)
            os._exit(0)
        assert wait(process) == 0
        after = os.times()
        return after[2] + after[3] - before[2] - before[3]

    @staticmethod
    def _fork(place: Path) -> int:
        """A copy of this process that stands in another folder."""
        process = os.fork()
        if process == 0:
            os.chdir(place)
            for name, number in (("out", 1), ("err", 2)):
                os.dup2(os.open(name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
        return process


def interrupt(name: str, moments: int, folder: Path) -> dict[str, Any]:
    """Signal one command at so many moments, by each of two signals."""
    line = [*COMMANDS[name].split(), "--out", "run"]

    def run() -> int:
        Moments(name, moments, folder)
        return dlproj(*line)

    assert wait(start(folder / "whole", run)) == 0, (folder / "whole/err").read_text()
    whole = files(folder / "whole/run")
    codes, problems = Counter[int](), {}
    for place in sorted(folder.glob("*-*")):
        code = int((place / "code").read_text())
        codes[code] += 1
        signum = int(place.name.split("-")[1])
        left = [path.name for path in (place / "run").glob(".*") if path.name != ".lock"]
        found = f"left {left}" if left else problem(place, code, signum, whole)
        if found:
            problems[place.name] = found
        shutil.rmtree(place)
    return {"met": codes[130] + codes[143], "codes": codes, "problems": problems}


def main() -> None:
    """Signal all commands that are named."""
    moments, folder, names = int(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3:]
    warm_up(folder)
    write_digits(folder / "digits", train=200, test=40)
    print(json.dumps({name: interrupt(name, moments, folder / name) for name in names}))


if __name__ == "__main__":
    main()

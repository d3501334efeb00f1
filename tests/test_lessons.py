"""The lessons: every block of each page runs, in order, and prints what the page says."""

import contextlib
import io
import random
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import dlproj as package
from dlproj import load_digits
from tests.conftest import Dlproj

LESSONS = Path(__file__).parents[1] / "docs/lessons"
PAGES = ("digits", "batchnorm", "regression", "attack", "language")
# The one thing that differs from the page: these flags are added to the first command that fits.
SMALL = {
    "train-digits": "--data {tiny} --no-plots",
    "train-digits --recipe report": "--seeds 2",
    "train-digits --seeds": "--seeds 2",
    "ablate-batchnorm": "--data {tiny} --no-plots --images 320 --seeds 2",
    "train-regression --recipe": "--epochs 2 --no-plots",
    "train-regression --recipe report": "--seeds 2",
    "train-langid": "--data {words} --no-plots --hidden 8 --epochs 1",
    "attack": "--limit 60 --no-plots",
}
FEW_IMAGES = "digits"  # the page whose Python sees the images of --data, as its networks did
# How near printed numbers come to the page's; elsewhere they are those of smaller runs.
TOLERANCE = {"batchnorm": 0.01, "attack": 0.01, "regression": 0.2}
NUMBER = r"[-+]?\d+(?:\.\d+)?"


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each block of code, also of those that are folded away."""
    for found in re.finditer(r"^( *)```(\w+)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
        yield found[2], re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE)


def words_table(path: Path) -> Path:
    """Two languages of made-up words."""
    draw = random.Random(0)  # noqa: S311
    letters = {"English": "abcdefgh", "Polish": "szczęśćłó"}
    rows = [
        f"{''.join(draw.choices(letters[name], k=draw.randint(3, 14)))},{name}"
        for name in letters
        for _ in range(100)
    ]
    path.write_text("word,label\n" + "\n".join(rows), encoding="utf-8")
    return path


def skeleton(line: str) -> str:
    """A line without its numbers, and without the space that keeps them in columns."""
    return " ".join(re.sub(NUMBER, "#", line).split())


def printed_like(said: str, out: str, tolerance: float | None) -> None:
    """Each line that the page shows was printed, up to its numbers; and those, where it can be."""
    skeletons = [skeleton(line) for line in out.splitlines()]
    for place, line in enumerate(said.splitlines()):
        assert skeleton(line) in skeletons, out
        if tolerance is not None:
            own = [float(number) for number in re.findall(NUMBER, out.splitlines()[place])]
            expected = [float(number) for number in re.findall(NUMBER, line)]
            assert own == pytest.approx(expected, rel=tolerance, abs=tolerance), (line, out)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_lesson_runs_and_prints_what_the_page_says(
    page: str, dlproj: Dlproj, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page == FEW_IMAGES:
        monkeypatch.setattr(package, "load_digits", lambda: load_digits(folder=tiny))
    places = {"tiny": tiny, "words": words_table(tmp_path / "words.csv")}
    names: dict[str, object] = {}
    out = ""
    for language, content in blocks((LESSONS / f"{page}.md").read_text(encoding="utf-8")):
        if language == "sh":
            for line in content.splitlines():
                program, *words = shlex.split(line, comments=True)
                assert program == "dlproj"
                added = [
                    flags for start, flags in SMALL.items() if " ".join(words).startswith(start)
                ]
                done = dlproj(*words, *shlex.split(" ".join(added).format(**places)))
                assert done.code == 0, done.err
        elif language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(content, page, "exec"), names)  # noqa: S102
            out = printed.getvalue()
        else:
            assert language == "text"
            printed_like(content, out, TOLERANCE.get(page))


def test_a_wrong_number_or_word_on_a_page_is_noticed() -> None:
    printed_like("seed 0: 97.7%\n", "seed 0: 11.0%\nseed 1: 12.0%\n", None)
    printed_like("read 84.6%\n", "read 84.5%\n", 0.01)
    with pytest.raises(AssertionError):
        printed_like("read 94.6%\n", "read 84.5%\n", 0.01)
    with pytest.raises(AssertionError):
        printed_like("accuracy 84.6%\n", "read 84.6%\n", None)


@pytest.mark.parametrize("page", PAGES)
def test_every_lesson_has_its_parts(page: str) -> None:
    text = (LESSONS / f"{page}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    wanted = ["The question", "Your guess", "Do it", "Why", "Exercises", "What everybody believes"]
    assert headings == wanted
    assert text.count('??? success "Solution"') == 3
    assert "](../figures/" in text

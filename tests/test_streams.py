"""Standard streams, environments and file systems that are not as one would like them."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Dlproj, environment

QUICK = "train-regression --epochs 1 --batch-size 1024 --no-plots --quiet"


def shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A line of bash, in which `dlproj` is this one."""
    line = line.replace("dlproj", f"{sys.executable} -m dlproj")
    return subprocess.run(
        ["bash", "-c", line],
        env={**environment(), **more},
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("dlproj --version >&-", 0, "", ""),
        ("dlproj --version 2>&-", 0, "dlproj ", ""),
        ("dlproj predict-langid hello >&- 2>&- <&-", 0, "", ""),
        ("dlproj predict-langid - <&-", 1, "", "dlproj: no words"),
        ("dlproj train-digits --lr x 2>&-", 2, "", ""),
        ("dlproj --version >/dev/full", 1, "", "dlproj: No space left"),
        ("dlproj train-digits --lr x 2>/dev/full", 2, "", ""),
        ("set -o pipefail; dlproj --help | true", 1, "", ""),
    ],
)
def test_streams_that_are_closed_or_full(line: str, code: int, out: str, err: str) -> None:
    done = shell(line)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith(out)
    assert bool(done.stdout) == bool(out)
    assert done.stderr.startswith(err)
    assert done.stderr.count("\n") == bool(err)


def test_a_closed_output_does_not_end_up_in_a_file(tmp_path: Path) -> None:
    """Which would be opened under its number."""
    assert shell(f"dlproj {QUICK} --out run >&- 2>&-").returncode == 0
    whole = json.loads((tmp_path / "run/result.json").read_text())
    assert set(whole["files"]) == {
        path.name
        for path in (tmp_path / "run").iterdir()
        if path.is_file() and path.name not in {".lock", "result.json"}
    }
    assert b"test" not in (tmp_path / "run/metrics.jsonl").read_bytes()


@pytest.mark.parametrize(
    "more",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_help_on_an_output_that_lacks_letters(more: dict[str, str]) -> None:
    done = shell("dlproj train-regression --help", **more)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u03c0" in done.stdout


def test_results_on_an_output_that_lacks_letters() -> None:
    line = "dlproj predict-langid --json tōkyō 😀; dlproj predict-langid tōkyō"
    done = shell(line, PYTHONIOENCODING="latin-1:strict")
    assert (done.returncode, done.stderr) == (0, "")
    document, end = json.JSONDecoder().raw_decode(done.stdout)
    assert [one["input"] for one in document["predictions"]] == ["tōkyō", "😀"]
    assert done.stdout[end:].strip().startswith("t\\u014dky\\u014d\t")


@pytest.mark.parametrize("columns", ["0", "-1", "wide", ""])
def test_a_width_that_is_none(
    columns: str, dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert "--momentum" in dlproj("train-digits", "--help").out
    if columns == "0":
        assert "test loss" in dlproj(*QUICK.split()).out


def test_nothing_is_cut_for_other_programs(dlproj: Dlproj, tmp_path: Path) -> None:
    folder = tmp_path / ("a very long name " * 12)
    folder.mkdir()
    for seed in (0, 1):
        assert dlproj(*QUICK.split(), "--seed", seed, "--out", folder / str(seed)).code == 0
    done = dlproj("compare", folder / "0", folder / "1")
    assert str(folder / "1") in done.out
    assert "…" not in done.out


def test_no_bar_in_a_file_though_colours_are_forced(
    dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = dlproj(*QUICK.split()[:-1])
    assert "\r" not in done.out + done.err
    assert "epoch 1/1" in done.err


def test_a_dumb_terminal_gets_plain_lines(dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = pty.openpty()
    monkeypatch.setenv("TERM", "dumb")
    with os.fdopen(leader, "rb", 0) as seen, os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert dlproj(*QUICK.split()[:-1]).code == 0
        shown = seen.read(10_000).decode()
    assert "\x1b" not in shown
    assert "epoch 1/1" in shown


def test_home_is_understood_behind_an_equals_sign(
    dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert dlproj(*QUICK.split(), "--out=~/run").code == 0
    assert (tmp_path / "home/run/result.json").exists()


def test_standard_input_among_words(dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch) -> None:
    for line, words in (("zero - three", "zero one two three"), ("--file -", "one two")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
        done = dlproj("predict-langid", *line.split())
        assert [line.split("\t")[0] for line in done.out.splitlines()] == words.split()


def test_the_folder_is_gone(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = dlproj(*QUICK.split())
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert "the current folder is gone" in done.err


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Path]:
    """A link to a disk that is not there."""
    link = tmp_path / "runs"
    link.symlink_to(tmp_path / "unplugged")
    yield link
    assert link.is_symlink()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("more", ["", " --out runs/mine", " --out runs"])
def test_a_link_that_leads_nowhere(more: str, nowhere: Path, dlproj: Dlproj) -> None:
    done = dlproj(*(QUICK + more).split())
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert "link that leads nowhere" in done.err or "exists already" in done.err


def test_a_file_where_a_folder_should_be(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    for more, reason in (
        ("", "runs/train-regression: cannot be made (runs is there already)"),
        (" --out runs/mine", "--out runs/mine: cannot be made (runs is there already)"),
    ):
        done = dlproj(*(QUICK + more).split())
        assert (done.code, done.err.count("\n")) == (1, 1)
        assert reason in done.err, done.err


def test_a_file_system_on_which_every_number_is_taken(
    dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def taken(path: Path, *arguments: Any, **options: Any) -> None:
        if path.name.isdecimal():
            raise FileExistsError(17, "File exists", str(path))
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", taken)
    done = dlproj(*QUICK.split())
    assert (done.code, "no number is free" in done.err) == (1, True), done.err


def test_what_to_resume_is_a_run(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = dlproj(*QUICK.split(), "--out", "empty")
    assert done.err == "dlproj: --out empty: exists already; name a new folder\n"
    assert dlproj(*QUICK.split(), "--out", "my run").code == 0
    done = dlproj(*QUICK.split(), "--out", "my run")
    assert done.err.endswith("or go on with --resume 'my run'\n")


def test_a_cell_that_was_taken_away_is_named(dlproj: Dlproj, tmp_path: Path) -> None:
    line = "sweep train-regression --epochs 1 --batch-size 1024 --lr 0.01,0.02 --no-plots --jobs 1"
    assert dlproj(*line.split(), "--out", "sweep").code == 0
    (tmp_path / "sweep/result.json").unlink()
    for path in sorted((tmp_path / "sweep/lr=0.01").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "sweep/lr=0.01").rmdir()
    done = dlproj("sweep", "--resume", "sweep", "--no-plots", "--jobs", 1)
    assert done.code == 0
    assert "sweep/lr=0.01: not there any more; it is trained again" in done.err
    assert "lr=0.02: not" not in done.err


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_files_are_for_whom_the_umask_says(
    mask: int, mode: int, dlproj: Dlproj, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        assert dlproj(*QUICK.split(), "--out", "run").code == 0
    finally:
        os.umask(before)
    for name in ("result.json", "metrics.jsonl", "model.safetensors"):
        assert (tmp_path / "run" / name).stat().st_mode & 0o777 == mode, name


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("train-digits --config odd", "config.json"),
        ("train-digits --resume odd", "config.json"),
        ("attack --model odd", "model.safetensors"),
        ("compare odd odd", "result.json"),
        ("report odd", "result.json"),
        ("verify odd", "result.json"),
    ],
)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    line: str, name: str, dlproj: Dlproj, tmp_path: Path
) -> None:
    (tmp_path / "odd").mkdir()
    os.mkfifo(tmp_path / "odd" / name)
    done = dlproj(*line.split())
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert "odd" in done.err


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_names_that_are_not_utf8(dlproj: Dlproj, tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff")
    assert dlproj(*QUICK.split(), "--out", name, "--json").json["run_dir"] == name
    (tmp_path / name / "result.json").unlink()
    assert dlproj("train-regression", "--resume", name, "--no-plots").code == 0
    assert dlproj(*QUICK.split(), "--out", "b").code == 0
    assert "a\\udcff" in dlproj("compare", name, "b").out
    assert dlproj("report", name).code == 0
    assert dlproj("predict-langid", name).out.startswith("a\\udcff\t")


def test_links_in_a_circle(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    for line in ("train-digits --data circle", "report circle", f"{QUICK} --out circle/x"):
        done = dlproj(*line.split())
        assert (done.code, done.err.count("\n")) == (1, 1), done.err
        assert "circle" in done.err


@pytest.mark.parametrize("rank", ["", "first"])
def test_a_rank_of_something_else(
    rank: str, dlproj: Dlproj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", rank)
    assert dlproj("train-digits", "--lr", "x").err.startswith("dlproj: --lr must be")


def test_a_file_that_may_not_be_read(
    dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.csv").touch()
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "mine" not in str(path) and access(path, mode)
    )
    done = dlproj("train-regression", "--data", "mine.csv")
    assert (done.code, done.err) == (1, "dlproj: --data 'mine.csv': Permission denied\n")

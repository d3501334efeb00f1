"""Standard streams, environments and file systems that are not as one would like them."""

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
        ["bash", "-c", line], env={**environment(), **more}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("dlproj predict-langid hello >&-", 0, "", ""),
        ("dlproj predict-langid hello 2>&-", 0, "hello\t", ""),
        ("dlproj predict-langid hello >&- 2>&- <&-", 0, "", ""),
        ("dlproj predict-langid - <&-", 1, "", "dlproj: no words"),
        ("dlproj train-digits --lr x 2>&-", 2, "", ""),
        ("dlproj predict-langid hello >/dev/full", 1, "", "dlproj: standard output: No space left"),
        ("dlproj train-digits --lr x 2>/dev/full", 2, "", ""),
        ("set -o pipefail; dlproj predict-langid hello | true", 1, "", ""),
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
        path.name for path in (tmp_path / "run").iterdir()
        if path.is_file() and path.name not in {".lock", "result.json"}
    }  # fmt: skip
    assert b"test" not in (tmp_path / "run/metrics.jsonl").read_bytes()


@pytest.mark.parametrize(
    "more",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_an_output_that_lacks_letters(more: dict[str, str]) -> None:
    done = shell("dlproj predict-langid --json tōkyō 😀 && dlproj train-regression --help", **more)
    assert (done.returncode, done.stderr) == (0, "")
    document, _ = json.JSONDecoder().raw_decode(done.stdout)
    assert [one["input"] for one in document["predictions"]] == ["tōkyō", "😀"]
    assert "\\u03c0" in done.stdout


@pytest.mark.parametrize("columns", ["0", "-1", "wide", ""])
def test_a_width_that_is_none(columns: str) -> None:
    done = shell(f"dlproj {QUICK} && dlproj train-digits --help", COLUMNS=columns)
    assert done.returncode == 0
    assert "test loss" in done.stdout
    assert "--momentum" in done.stdout


def test_nothing_is_cut_for_other_programs(dlproj: Dlproj, tmp_path: Path) -> None:
    folder = tmp_path / ("a very long name " * 12)
    folder.mkdir()
    for seed in (0, 1):
        assert dlproj(*QUICK.split(), "--seed", seed, "--out", folder / str(seed)).code == 0
    done = dlproj("compare", folder / "0", folder / "1")
    assert str(folder / "1") in done.out
    assert "…" not in done.out


def test_no_bar_in_a_file_though_colours_are_forced() -> None:
    done = shell(f"dlproj {QUICK.replace(' --quiet', '')}", FORCE_COLOR="1")
    assert "\r" not in done.stdout + done.stderr
    assert "epoch 1/1" in done.stderr


def test_a_dumb_terminal_gets_plain_lines() -> None:
    leader, follower = pty.openpty()
    try:
        line = [sys.executable, "-m", "dlproj", *QUICK.split()[:-1]]
        subprocess.run(line, env={**environment(), "TERM": "dumb"}, stderr=follower, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        seen = os.read(leader, 10_000).decode()
    finally:
        os.close(leader)
        os.close(follower)
    assert "\x1b" not in seen
    assert "epoch 1/1" in seen


def test_home_is_understood_behind_an_equals_sign(
    dlproj: Dlproj, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert dlproj(*QUICK.split(), "--out=~/run").code == 0
    assert (tmp_path / "home/run/result.json").exists()


def test_standard_input_among_words() -> None:
    done = shell("printf 'one\\ntwo\\n' | dlproj predict-langid zero - three")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [
        "zero",
        "one",
        "two",
        "three",
    ]
    done = shell("printf 'one\\ntwo\\n' | dlproj predict-langid --file -")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["one", "two"]


def test_the_folder_is_gone(tmp_path: Path) -> None:
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; dlproj {QUICK}")
    assert done.returncode == 1
    assert done.stderr.startswith("dlproj: ")
    assert done.stderr.count("\n") == 1


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


def test_files_are_for_whom_the_umask_says(tmp_path: Path) -> None:
    for mask, mode in (("077", 0o600), ("002", 0o664)):
        assert shell(f"umask {mask}; dlproj {QUICK} --out {mask}").returncode == 0
        for name in ("result.json", "metrics.jsonl", "model.safetensors"):
            assert (tmp_path / mask / name).stat().st_mode & 0o777 == mode, name


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

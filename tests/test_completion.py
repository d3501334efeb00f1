"""Completion in the shells: what Typer's protocol answers, and real shells that ask it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import HEAVY

ENTRY = Path(sys.executable).parent / "dlproj"
ANSWERS = [
    ("dlproj train-d", {"train-digits"}),
    ("dlproj train-digits --rec", {"--recipe"}),
    ("dlproj train-digits --recipe ", {"standard", "report", "fast", "best", "pictures"}),
    ("dlproj train-regression --device ", {"auto", "cpu", "cuda", "mps"}),
    ("dlproj predict-langid --device c", {"cpu", "cuda"}),
]


WORD = {"zsh": r'(?:^|\(\()"([\w-]+)"'}  # of an answer; its explanation may take several lines


def protocol(shell: str, line: str) -> dict[str, str]:
    """The variables through which a shell asks what may stand at the end of a line."""
    words = line.split(" ")
    return {
        "_DLPROJ_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(words) if shell == "bash" else line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_flags_and_choices_are_completed_without_torch(shell: str) -> None:
    code = (
        "import os, sys\nsys.argv = ['dlproj']\nfrom dlproj.__main__ import main\n"
        f"for variables in {[protocol(shell, line) for line, _ in ANSWERS]}:\n"
        "    os.environ.update(variables)\n    try:\n        main()\n"
        "    except SystemExit:\n        print('----')\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *answers, modules = done.stdout.split("----\n")
    assert not HEAVY & set(modules.split())
    for (line, wanted), answer in zip(ANSWERS, answers, strict=True):
        found = re.findall(WORD.get(shell, r"^([\w-]+)"), answer, re.MULTILINE)
        assert set(found) == wanted, line


SCRIPTS = {
    "bash": """
        eval "$(_DLPROJ_COMPLETE=source_bash dlproj)"
        COMP_WORDS=(dlproj train-digits --recipe "") COMP_CWORD=3
        _dlproj_completion dlproj
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        autoload -U compinit && compinit -u -D
        _arguments() { print -r -- "$@" }
        eval "$(_DLPROJ_COMPLETE=source_zsh dlproj)"
        words=(dlproj train-digits --recipe "") CURRENT=4
        _dlproj_completion
    """,
    "fish": """
        _DLPROJ_COMPLETE=source_fish dlproj | source
        complete --do-complete "dlproj train-digits --recipe "
    """,
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_real_shell_completes(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell) or not ENTRY.exists():
        pytest.skip(f"{shell} or the command dlproj is not installed")
    path = f"{ENTRY.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shell, "-c", SCRIPTS[shell]],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PATH": path, "HOME": str(tmp_path)},
    )
    assert "standard" in done.stdout, done.stderr
    assert all(recipe in done.stdout for recipe in ("report", "fast", "best"))
    assert "Traceback" not in done.stderr

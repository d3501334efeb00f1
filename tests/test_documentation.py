"""README and documentation: short, with links and commands that hold, and a site by itself."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

import dlproj
from dlproj.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")] + [
    *sorted((ROOT / "docs").rglob("*.md"))
]
CODE = re.DOTALL | re.MULTILINE
GROUP: Any = typer.main.get_command(app)
OF_OTHERS = {"--max-restarts"}  # torchrun's
FETCHED = r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["']?(?:https?:)?//|url\(["']?http"""


def spans(text: str) -> list[str]:
    """The code within sentences, each on one line."""
    found = re.findall(r"`([^`]+)`", re.sub(r"^( *)```.*?^\1```", "", text, flags=CODE))
    return [" ".join(span.split()) for span in found]


def commands(text: str) -> list[list[str]]:
    """Every command line of dlproj in code blocks and in code within sentences, as words."""
    blocks = re.findall(r"^( *)```(?:sh|console)\n(.*?)^\1```", text, CODE)
    lines = [line.strip() for _, block in blocks for line in block.splitlines()]
    lines += spans(text)
    found = (
        re.search(r"(?:^|[$|] |-m )(?:dlproj|scripts/run\.sh) (.*)", line)
        for line in (re.sub(r"\s#\s.*", "", line) for line in lines)
    )
    words = [shlex.split(re.split(r" [|>] ", match[1])[0]) for match in found if match]
    told = [each for each in words if each[0] not in {"COMMAND", "--install-completion"}]
    return [["train-digits" if word == "COMMAND" else word for word in each] for each in told]


def parse(words: list[str]) -> None:
    """Read a command line as dlproj does, without running it.

    Raises:
        Exception: there is no such command, or it has no such flag or value.
    """
    name, *flags = words
    if name.startswith("-"):
        GROUP.make_context("dlproj", [name], resilient_parsing=True)
    else:
        GROUP.commands[name].make_context(name, [word for word in flags if word != "--help"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_exists_and_its_flags_parse(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        parse(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_that_is_named_is_one_of_dlproj(page: Path) -> None:
    known = {
        name
        for command in GROUP.commands.values()
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    named = {span.split()[0] for span in spans(page.read_text(encoding="utf-8"))}
    flags = {name for name in named if name.startswith("--")} - OF_OTHERS
    assert flags <= known | {"--help", "--version"}


def test_commands_are_found_and_wrong_ones_noticed() -> None:
    text = (
        "Try `dlproj train-digits --lr 1`.\n```sh\ncat x | dlproj predict-langid - > y  # all\n```"
        "\n    ```sh\n    dlproj doctor\n    ```\n"
    )
    assert commands(text) == [["predict-langid", "-"], ["doctor"], ["train-digits", "--lr", "1"]]
    with pytest.raises(KeyError):
        parse(["train-digit"])
    for wrong in (["train-digits", "--rate", "1"], ["attack", "--method", "nosuch"]):
        with pytest.raises(Exception, match=r"No such option|nosuch"):
            parse(wrong)


def test_the_readme_is_short_and_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 200
    assert {words[0] for words in commands(readme)} >= GROUP.commands.keys()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_repository_s_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [
        link
        for link in links
        if not link.startswith("https://") and not (ROOT / link.split("#")[0]).exists()
    ]
    assert missing == []


def test_the_example_of_the_python_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(example, "python.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out


def test_pictures_fetch_nothing() -> None:
    for picture in (ROOT / "docs").rglob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert "@import" not in text
        assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning."""
    pytest.importorskip("material", reason="the extra `docs` is not installed")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # Material's, about the next MkDocs
    done = subprocess.run(build, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_the_site_shows_every_function_command_and_flag(site: Path) -> None:
    def seen(page: str) -> str:
        return re.sub(r"<[^>]*>", "", (site / page).read_text(encoding="utf-8"))

    python = seen("python.html")
    assert "lr: float = 0.02" in python
    assert all(f"{name}(" in python for name in dlproj.__all__ if name.islower())
    shown = seen("commands.html")
    for name, command in GROUP.commands.items():
        assert command.help in shown, name
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.opts[0] in shown


def test_the_site_fetches_nothing_and_searches_where_it_lies(site: Path) -> None:
    assert (site / "search/search_index.js").is_file()  # for pages that are opened as files
    for page in (*site.rglob("*.html"), *site.rglob("*.css")):
        assert not re.search(FETCHED, page.read_text(encoding="utf-8")), page

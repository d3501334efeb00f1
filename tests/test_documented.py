"""The documentation of the Python interface: every name is there, and its sessions run."""

import doctest
import re
from pathlib import Path

import pytest

import dlproj

DOCS = Path(__file__).parents[1] / "docs"


def names() -> set[str]:
    """What docs/python.md shows as importable from `dlproj`."""
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    found = {
        path.rsplit(".", 1)[1]
        for path in re.findall(r"^::: (dlproj\.\S+\.\w+)$", text, re.MULTILINE)
    }
    for members in re.findall(r"members: \[(.*?)\]", text, re.DOTALL):
        found |= {name.strip() for name in members.split(",")}
    return found - {path.rsplit(".", 1)[1] for path in ("dlproj.api", "dlproj.attacks")}


def test_every_documented_name_can_be_imported() -> None:
    documented = names()
    assert {"train_digits", "prepare", "load_run", "fgsm", "Prediction"} <= documented
    for name in documented - {"RunKeywords"}:  # which functions share, and no one calls
        assert hasattr(dlproj, name), name
        assert name in dlproj.__all__


@pytest.mark.parametrize("page", ["attacks-in-python.md"])
def test_the_sessions_of_the_documentation_run(page: str) -> None:
    done = doctest.testfile(str(DOCS / page), module_relative=False)
    assert done.attempted > 10
    assert done.failed == 0

"""Whatever a public function is called with, it works or refuses in one line of our own words."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import dlproj
from dlproj import api
from dlproj.models import files
from dlproj.tools import predict

FIXTURE = [HealthCheck.function_scoped_fixture]
TASKS = ("train_digits", "train_regression", "train_langid", "attack", "ablate_batchnorm")


@dataclasses.dataclass
class Unprintable:
    """A stranger to every function, whose text is on two lines."""

    def __repr__(self) -> str:
        return "<two\nlines>"


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([10**400, -(10**30), 2**63]),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=4),
    st.sampled_from(["/nowhere", "a\0b", "~", "x" * 5000, "\ud800", "no\nway"]),
    st.binary(max_size=3),
    st.lists(st.one_of(st.floats(), st.text(max_size=2), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.builds(set),
    st.builds(object),
    st.builds(Unprintable),
    st.builds(lambda: iter("ab")),
    st.builds(lambda: torch.zeros(2, 3)),
    st.builds(lambda: np.zeros(0)),
    st.builds(lambda: np.array(["a"], dtype=object)),
    st.just(Path("/nowhere")),
    st.just(dlproj.train_digits),
    st.just(int),
)


@pytest.fixture(autouse=True)
def _load_networks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ships, for the sake of time; every other file is looked for."""
    shipped = functools.lru_cache(files.load_model)

    def load(path: Path, reads: Any = None) -> Any:
        known = path in {files.LANGID, files.PICTURES}
        return (shipped if known else files.load_model)(path, reads)

    monkeypatch.setattr(predict, "load_model", load)


def works_or_refuses(call: Callable[[], object]) -> None:
    """Of the two; a refusal is one line that is not empty."""
    message = "it works"
    try:
        call()
    except dlproj.DlprojError as refusal:
        message = str(refusal)
    assert message.strip()
    assert "\n" not in message


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("task", TASKS)
def test_trainings_with_any_keywords(
    task: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Their settings alone: nothing is trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "perform", lambda *_, **__: Path())
    monkeypatch.setattr(api, "_finished", lambda _: dlproj.Finished)
    monkeypatch.setattr(dlproj.Finished, "remarks", [], raising=False)
    function = getattr(dlproj, task)
    names = [*inspect.signature(function).parameters]

    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(st.sampled_from(names), ODD, min_size=1, max_size=2))
    def call(keywords: dict[str, Any]) -> None:
        works_or_refuses(lambda: function(**keywords))

    call()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["load_digits", "load_model", "load_run", "to_pixels", "prepare"])
@settings(max_examples=60, deadline=None, suppress_health_check=FIXTURE)
@given(odd=ODD, data=st.data())
def test_loading_anything(name: str, odd: Any, data: st.DataObject) -> None:
    function = getattr(dlproj, name)
    keyword = data.draw(st.sampled_from([*inspect.signature(function).parameters]))
    works_or_refuses(lambda: function(**{keyword: odd}))


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=100, deadline=None, suppress_health_check=FIXTURE)
@given(words=st.one_of(ODD, st.lists(st.one_of(ODD, st.text()), max_size=3)), text=ODD, model=ODD)
@example(words=["word"], text=False, model=None)
def test_languages_of_anything(words: Any, text: Any, model: Any) -> None:
    works_or_refuses(lambda: dlproj.predict_langid(words))
    works_or_refuses(lambda: dlproj.predict_langid(["word"], text=text))
    works_or_refuses(lambda: dlproj.predict_langid(["word"], model=model))


ARRAYS = arrays.arrays(
    st.one_of(
        arrays.boolean_dtypes(),
        arrays.integer_dtypes(endianness="?"),
        arrays.unsigned_integer_dtypes(endianness="?"),
        arrays.floating_dtypes(endianness="?"),
        arrays.complex_number_dtypes(),
        arrays.unicode_string_dtypes(max_len=2),
        arrays.datetime64_dtypes(),
    ),
    st.sampled_from([(), (0,), (28, 28), (1, 28, 28), (1, 1, 28, 28), (28, 28, 3), (0, 28, 28)]),
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None, suppress_health_check=FIXTURE)
@given(images=st.one_of(ODD, ARRAYS, st.lists(ODD, max_size=2)), several=ODD, model=ODD)
def test_digits_on_anything(images: Any, several: Any, model: Any) -> None:
    works_or_refuses(lambda: dlproj.predict_digits(images))
    works_or_refuses(lambda: dlproj.predict_digits("/nowhere.png", several=several))
    works_or_refuses(lambda: dlproj.predict_digits(np.zeros((1, 28, 28)), model=model))

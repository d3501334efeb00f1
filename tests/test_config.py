"""Settings: where they come from, and in which order they win."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from dlproj.cli import app
from dlproj.configuration.grid import SweepConfig
from dlproj.configuration.resolve import resolve, to_dict, validate
from dlproj.errors import DlprojError, UsageError
from dlproj.settings import (
    AttackConfig,
    BatchnormConfig,
    Config,
    DigitsConfig,
    LangidConfig,
    RegressionConfig,
)

ALL: list[type[Config]] = [
    DigitsConfig,
    RegressionConfig,
    LangidConfig,
    AttackConfig,
    BatchnormConfig,
]


def test_a_flag_wins_over_the_recipe_and_the_recipe_over_the_default() -> None:
    assert resolve(DigitsConfig, {}).schedule == "linear"
    assert resolve(DigitsConfig, {"recipe": "report"}).schedule == "constant"
    asked = resolve(DigitsConfig, {"recipe": "report", "schedule": "cosine"})
    assert (asked.schedule, asked.precision) == ("cosine", "fp32")


def test_flags_win_over_the_file_and_so_does_a_recipe_among_them(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"command": "train-digits", "recipe": "fast", "lr": 0.5, "seed": 3}))
    from_file = resolve(DigitsConfig, {}, file)
    assert (from_file.lr, from_file.seed, from_file.network) == (0.5, 3, "fast")
    assert resolve(DigitsConfig, {"lr": 0.1}, file).lr == 0.1
    other = resolve(DigitsConfig, {"recipe": "standard"}, file)
    assert (other.lr, other.seed, other.network) == (0.02, 3, "report")


@pytest.mark.parametrize("cls", ALL)
def test_every_recipe_is_valid_and_survives_a_file(cls: type[Config], tmp_path: Path) -> None:
    for recipe in cls.recipes or [None]:
        config = resolve(cls, {"recipe": recipe} if recipe else {})
        file = tmp_path / f"{recipe}.json"
        file.write_text(json.dumps(to_dict(config)))
        assert resolve(cls, {}, file) == config


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.floats())


@given(st.sampled_from(ALL), st.dictionaries(st.text(), values, max_size=3), st.data())
def test_any_values_give_settings_or_one_line(
    cls: type[Config], surplus: dict[str, Any], data: st.DataObject
) -> None:
    names = sorted(to_dict(resolve(cls, {})))
    given_values = surplus | data.draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
    try:
        json.dumps(to_dict(validate(cls, given_values)), allow_nan=False)
    except UsageError as error:
        problem = str(error)
    else:
        problem = "--none"
    assert problem.startswith("--")


json_values = st.recursive(
    values, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4
)


@settings(max_examples=50)
@given(st.sampled_from(ALL), st.data())
def test_any_json_object_is_a_configuration_or_one_line(
    cls: type[Config], data: st.DataObject
) -> None:
    names = st.sampled_from(sorted(to_dict(resolve(cls, {})))) | st.text(max_size=5)
    text = json.dumps(data.draw(st.dictionaries(names, json_values, max_size=4)))
    file = Path("any.json")
    file.write_text(text)
    try:
        config = resolve(cls, {}, file)
    except DlprojError as error:
        problem = str(error)
    else:
        problem = "--none"
        assert validate(cls, {k: v for k, v in to_dict(config).items() if k != "command"}) == config
    assert problem.startswith("--")
    assert "\n" not in problem


def test_the_standard_recipe_takes_fewer_passes_over_the_words_that_ship(tmp_path: Path) -> None:
    shipped, own = resolve(LangidConfig, {}), resolve(LangidConfig, {"data": tmp_path})
    assert (shipped.epochs, shipped.batch_size) == (2, 512)
    assert (own.epochs, own.batch_size) == (10, 128)
    assert resolve(LangidConfig, {"epochs": 5}).epochs == 5
    assert resolve(LangidConfig, {"recipe": "report"}).epochs == 10


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The settings that commands would run with, instead of running."""
    settings: list[Config] = []
    monkeypatch.setattr(
        "dlproj.running.perform.perform",
        lambda _run, config, _session: settings.append(config),
    )
    return settings


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*ALL, SweepConfig]), st.data())
def test_any_command_line_gives_settings_or_one_line(
    taken: list[Config], cls: type[Config], data: st.DataObject
) -> None:
    """Flags of that command and anything else, in any order."""
    group: Any = get_command(app)
    flags = sorted(name for each in group.commands[cls.command].params for name in each.opts)
    given = st.sampled_from(["cpu", "1", "0.1", "nan", "-1", "fast", "30s"]) | st.integers().map(
        str
    )
    pieces = st.tuples(st.sampled_from(flags), given | st.text(max_size=6)) | st.tuples(
        st.sampled_from(flags) | given
    )
    line = [part for piece in data.draw(st.lists(pieces, max_size=3)) for part in piece]
    taken.clear()
    try:
        app([cls.command, *line], standalone_mode=False)
    except typer.TyperException as error:
        message, code = error.format_message(), error.exit_code
    except DlprojError as error:
        message, code = str(error), error.exit_code
    else:
        (config,) = taken
        values = {name: value for name, value in to_dict(config).items() if name != "command"}
        assert validate(type(config), values) == config
        return
    assert message.strip()
    assert code in {1, 2}

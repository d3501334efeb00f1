"""The report page: its claims, what it holds, and how it behaves in a browser."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import stdev
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from dlproj.configuration.resolve import resolve, to_dict
from dlproj.output import figures
from dlproj.output.figures.captions import CAPTIONS
from dlproj.reports import claims as report_claims
from dlproj.reports.finished import Finished
from dlproj.settings import AttackConfig, BatchnormConfig, DigitsConfig
from dlproj.store.runs import RunDir, seal
from tests.browsers import emulate, open_browser, requested
from tests.conftest import Dlproj, environment


def finished(config: Any, metrics: dict[str, Any]) -> Finished:
    """A run as if it had been read back."""
    settings = json.loads(json.dumps(to_dict(config)))
    result = {"command": config.command, "config": settings, "metrics": metrics}
    return Finished(Path("runs") / config.command / "1", result, [])


def digits(values: list[float], **flags: Any) -> Finished:
    config = resolve(DigitsConfig, {"recipe": "report", "seeds": len(values), **flags})
    return finished(config, {"test_accuracy": {"values": values}})


def ablation(own: list[float], other: list[float]) -> Finished:
    config = resolve(BatchnormConfig, {"recipe": "report", "seeds": len(own)})
    cell = {"lr": 0.02, "with": {"values": own}, "without": {"values": other}}
    return finished(config, {"cells": [cell]})


def verdict(runs: list[Finished], claim: str) -> str:
    (found,) = [item.verdict for item in report_claims.claims(runs) if claim in item.claim]
    return found


def test_a_single_number_is_reproduced_where_one_more_run_could_give_it() -> None:
    assert verdict([], "98.84%") == "not measured"
    assert verdict([digits([0.988, 0.989])], "98.84%") == "too few seeds"
    assert verdict([digits([0.986, 0.988, 0.990, 0.987])], "98.84%") == "reproduced"
    assert verdict([digits([0.991, 0.9911, 0.9912, 0.9911])], "98.84%") == "not reproduced"


def test_only_runs_at_the_reports_settings_count() -> None:
    good = [0.986, 0.988, 0.990]
    for flags in ({"lr": 0.03}, {"epochs": 2}, {"batchnorm": False}, {"data": Path("x").resolve()}):
        assert verdict([digits(good, **flags)], "98.84%") == "not measured"
    assert verdict([digits(good, threads=3, seed=7)], "98.84%") == "reproduced"


def test_a_seed_that_is_there_twice_counts_once() -> None:
    assert verdict([digits([0.988, 0.989]), digits([0.988])], "98.84%") == "too few seeds"
    both = [digits([0.988, 0.989]), digits([0.987], seed=2)]
    assert verdict(both, "98.84%") == "reproduced"


def test_the_worth_of_batchnorm_needs_an_interval_without_zero() -> None:
    claim = "1.07 points"
    assert verdict([ablation([0.988, 0.987, 0.989], [0.977, 0.977, 0.978])], claim) == "reproduced"
    assert verdict([ablation([0.98, 0.97, 0.99], [0.98, 0.99, 0.97])], claim) == "undecided"
    assert verdict([ablation([0.98, 0.981, 0.979], [0.98] * 3)], claim) == "not reproduced"
    assert verdict([ablation([0.999, 0.998, 0.999], [0.97] * 3)], claim) == "not reproduced"
    assert verdict([ablation([0.988], [0.977])], claim) == "too few seeds"


def test_the_attack_claim_is_about_the_courses_network() -> None:
    row = {"method": "fgsm", "norm": "linf", "epsilon": 0.2, "targeted": False, "accuracy": 0.44}
    row |= {"success_rate": 0.5, "max_perturbation": 0.2}
    config = resolve(AttackConfig, {"epsilon": [0.2]})
    course = finished(config, {"model": "x/mnist_lenet.pt", "attacks": [row]})
    other = finished(config, {"model": "runs/train-digits/1", "attacks": [row]})
    robust = finished(config, {"model": "mnist_lenet.pt", "attacks": [row | {"accuracy": 0.6}]})
    assert verdict([course], "ε = 0.2") == "reproduced"
    assert verdict([other], "ε = 0.2") == "not measured"
    assert verdict([robust], "ε = 0.2") == "not reproduced"


@pytest.fixture(scope="module")
def runs(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a few small runs."""
    folder = tmp_path_factory.mktemp("report")
    short = ("--data", tiny, "--threads", 1, "--quiet")
    lines: tuple[tuple[object, ...], ...] = (
        ("train-digits", *short, "--seeds", 3),
        ("train-digits", *short, "--lr", 0.05, "--seed", 1, "--seeds", 2, "--no-plots"),
        ("attack", *short, "--epsilon", 0.2, "--limit", 60, "--diagnose"),
        ("ablate-batchnorm", *short, "--lr", 0.02, "--seeds", 2, "--images", 320),
    )
    every = json.dumps([[*map(str, line)] for line in lines])
    subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, every],
        check=True,
        cwd=folder,
        env=environment(),
        capture_output=True,
    )
    return folder


ONE_BY_ONE = """
import json, sys
from tests.support.forked import dlproj

assert [dlproj(*line) for line in json.loads(sys.argv[1])] == [0, 0, 0, 0]
"""


@pytest.fixture
def page(dlproj: Dlproj, runs: Path, tmp_path: Path) -> Path:
    """The page of those runs."""
    done = dlproj("report", runs, "--out", "page.html", "--json")
    assert done.code == 0, done.err
    assert len(done.json["runs"]) == 4
    rows = done.json["claims"]
    assert len(rows) == len(report_claims.claims([])) > 50
    assert all({"claim", "source", "verdict", "measured", "command"} <= row.keys() for row in rows)
    assert len(done.json["explanations"]) == 7
    return tmp_path / "page.html"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path / "profile") as opened:
        yield opened


def background(browser: webdriver.Chrome) -> str:
    return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))


def test_the_page_in_a_browser(page: Path, browser: webdriver.Chrome) -> None:
    browser.get(page.as_uri())
    assert requested(browser) <= {"file", "data"}

    heading = browser.find_element(By.CSS_SELECTOR, "#runs thead th button")
    column = "return [...document.querySelectorAll('#runs table')][0].tBodies[0].rows"
    names = f"{column}.length && [...{column[7:]}].map(row => row.cells[0].textContent)"
    heading.click()
    rising = browser.execute_script(names)
    heading.click()
    assert browser.execute_script(names) == rising[::-1]
    assert rising == sorted(rising)
    assert len(rising) == 4

    dialog = browser.find_element(By.TAG_NAME, "dialog")
    picture = browser.find_element(By.CSS_SELECTOR, "figure img")
    assert not dialog.is_displayed()
    browser.execute_script("arguments[0].closest('button').click()", picture)
    assert dialog.is_displayed()
    large = dialog.find_element(By.TAG_NAME, "img")
    assert large.get_attribute("src") == picture.get_attribute("src")
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()

    pictures = "return [...document.querySelectorAll('figure img')]"
    alternatives = browser.execute_script(
        f"{pictures}.map(image => [image.alt, image.naturalWidth])"
    )
    assert len(alternatives) > 10
    assert all(text and width for text, width in alternatives)

    emulate(browser, "light")
    light = background(browser)
    emulate(browser, "dark")
    assert background(browser) != light
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    scrolled, visible = browser.execute_script(widths)
    assert scrolled <= visible == 390
    assert browser.get_log("browser") == []


def test_every_figure_has_a_caption() -> None:
    sources = "".join(path.read_text() for path in Path(figures.__file__).parent.glob("*.py"))
    assert set(re.findall(r'save\(figure, run, "(\w+)"\)', sources)) == set(CAPTIONS)


def test_the_page_is_not_written_over_unasked(page: Path, runs: Path, dlproj: Dlproj) -> None:
    before = page.read_bytes()
    done = dlproj("report", "--out", page)
    assert (done.code, page.read_bytes()) == (1, before)
    assert "exists already" in done.err
    done = dlproj("report", runs / "runs/train-digits/1", "--out", page, "--force")
    assert done.code == 0
    assert page.read_bytes() != before
    assert "not measured" in done.out


def test_what_a_run_says_is_text_and_not_markup(dlproj: Dlproj, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    assert dlproj("train-regression", "--epochs", 1, "--no-plots", "--out", "run").code == 0
    result = RunDir(tmp_path / "run").result
    assert result is not None
    del result["sha256"]
    result["config"]["data"] = evil
    result["environment"]["platform"] = evil
    (tmp_path / "run/result.json").write_text(json.dumps(seal(result)))
    outside = tmp_path / "secret.png"
    outside.write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (tmp_path / "run/fit.png").symlink_to(outside)
    assert dlproj("report", "run").code == 0
    text = (tmp_path / "report.html").read_text()
    assert evil not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<figure>" not in text


def test_what_cannot_be_shown_is_one_line(dlproj: Dlproj, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text(json.dumps(seal({"command": "attack"})))
    hollow = {"schema_version": 1, "command": "attack", "config": {}, "metrics": {"attacks": []}}
    (broken / "result.json").write_text(json.dumps(seal(hollow)))
    for line, message in (
        ("report", "runs: no such folder"),
        ("report empty", "empty: holds no finished run"),
        ("report broken", "broken: its result.json is not of this version"),
        ("compare empty", "name two runs or more"),
        ("compare empty empty", "empty: not a finished run"),
        ("verify empty", "empty: not a finished run"),
    ):
        done = dlproj(*line.split())
        assert done.code in {1, 2}
        assert message in done.err
        assert done.err.count("\n") == 1
        assert done.out == ""


def test_compare_pairs_by_seed(runs: Path, dlproj: Dlproj) -> None:
    one, other = runs / "runs/train-digits/1", runs / "runs/train-digits/2"
    done = dlproj("compare", one, other, "--json")
    assert done.code == 0, done.err
    assert set(done.json["settings"]) == {"seed", "seeds", "lr"}
    (accuracy,) = [row for row in done.json["metrics"] if row["name"] == "test_accuracy"]
    values = [
        RunDir(path).result["metrics"]["test_accuracy"]["values"]  # type: ignore[index]
        for path in (one, other)
    ]
    (test,) = accuracy["tests"]
    assert test["seeds"] == [1, 2]
    expected = (values[1][0] + values[1][1] - values[0][1] - values[0][2]) / 2
    assert test["difference"] == pytest.approx(expected)
    differences = [values[1][0] - values[0][1], values[1][1] - values[0][2]]
    assert test["effect_size"] == pytest.approx(expected / stdev(differences))
    assert test["p_adjusted"] == test["p_value"]  # one other run
    text = dlproj("compare", one, other).out
    assert "B against A, paired by seed" in text
    assert dlproj("compare", one, runs / "runs/attack/1").code == 1


def test_the_page_names_the_demo_and_links_to_one_beside_it(
    page: Path, runs: Path, dlproj: Dlproj
) -> None:
    assert "<code>dlproj demo" in page.read_text(encoding="utf-8")
    assert 'href="demo.html"' not in page.read_text(encoding="utf-8")
    page.with_name("demo.html").touch()
    assert dlproj("report", runs, "--out", "page.html", "--force").code == 0
    assert 'href="demo.html"' in page.read_text(encoding="utf-8")

"""The page of `dlproj demo` in a real browser, held against what Python computes."""

import base64
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from dlproj.attacks import fgsm
from dlproj.data.digits import Images, load_digits, to_pixels
from dlproj.data.pictures import NoDigitError, read_picture
from dlproj.data.words import load_words
from dlproj.models.files import DIGITS, load_model
from dlproj.output.console import Console
from dlproj.tools.demo.page import demo
from dlproj.tools.demo.parts import ROBUST
from dlproj.tools.languages import read_languages
from dlproj.training.device import choose_machine
from tests.browsers import emulate, open_browser, requested
from tests.support.demo_page import (
    CONTRASTS,
    PAPER,
    computed,
    draw_one,
    draw_seven,
    drawings,
    drop,
    link_at_rest,
    nameless,
    of_pictures,
    open_all,
    painted,
    reopen,
    seen,
    show,
    text,
    wait,
)

IMAGES, ATTACKED, WORDS = 1000, 200, 500
PARTS = ("draw", "fool", "words", "curve", "batchnorm")
WIDTHS = (360, 390, 768, 1280, 1600)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.set_script_timeout(110)
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page made from what ships."""
    out = tmp_path_factory.mktemp("demo") / "demo.html"
    demo([], out, force=False, console=Console(quiet=True, json=True))
    return out


@pytest.fixture
def page(browser: webdriver.Chrome, file: Path) -> Iterator[webdriver.Chrome]:
    """The page as it opens; nothing may be wrong when a test is done with it."""
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(file.as_uri())
    wait(browser, "#draw-bars .best")
    yield browser
    assert browser.get_log("browser") == []
    assert not browser.find_element(By.ID, "trouble").is_displayed()


@pytest.fixture(scope="module")
def images() -> Images:
    """The first test images, as numbers."""
    test = load_digits().test
    return Images(to_pixels(test.pictures[:IMAGES]), test.labels[:IMAGES])


@pytest.mark.parametrize(("network", "count"), [("digits", 1000), ("robust", 200)])
def test_probabilities_are_those_of_torch(
    page: webdriver.Chrome, images: Images, network: str, count: int
) -> None:
    model, _ = load_model({"digits": DIGITS, "robust": ROBUST}[network])
    pictures = images.pictures[:count]
    with torch.no_grad():
        expected = model(pictures).softmax(1)
    parts = pictures.split(100)
    found = torch.cat(
        [of_pictures(page, part, "dlproj.digits(pixels, $1)", network) for part in parts]
    )
    assert (found - expected).abs().max() < 1e-3
    assert (found.argmax(1) == expected.argmax(1)).all()


def test_fgsm_makes_the_images_that_torch_makes(page: webdriver.Chrome, images: Images) -> None:
    model, _ = load_model(DIGITS)
    pictures, labels = images.pictures[:ATTACKED], images.labels[:ATTACKED]
    expected = fgsm(model, pictures, labels, epsilon=0.1).flatten(1)
    found = of_pictures(page, pictures, "dlproj.attack(pixels, $1[index], 0.1)", labels.tolist())
    assert ((found - expected).abs() > 1e-6).double().mean() <= 1e-3
    assert ((found - pictures.flatten(1)).abs() > 0.05).double().mean() > 0.3


def test_words_have_the_languages_of_torch(page: webdriver.Chrome) -> None:
    data = load_words()
    rows = data.test.letters[:WORDS].tolist()
    words = ["".join(data.alphabet[index] for index in row if index >= 0) for row in rows]
    words += ["Źdźbło", "l'ami", "naïve", "STRASSE", "straße", "o", "w" * 70, "x\u0302he\u200bllo"]
    machine = choose_machine("cpu", "fp32")
    found = computed(page, "Promise.all($0.map(word => dlproj.language(word)))", words)
    for mine, theirs in zip(found, read_languages(words, model=None, machine=machine), strict=True):
        assert mine.keys() == theirs.probabilities.keys()
        for language, share in theirs.probabilities.items():
            assert mine[language] == pytest.approx(share, abs=1e-3), theirs.input
    assert set(computed(page, "dlproj.language('日本')").values()) == {0}  # no letter is known


def test_drawings_are_prepared_as_predict_digit_prepares_pictures(
    page: webdriver.Chrome, tmp_path: Path
) -> None:
    path, refused = tmp_path / "drawing.png", 0
    for number, ink in enumerate(drawings()):
        Image.fromarray(255 - ink).save(path)
        try:
            expected = read_picture(path).flatten().int().tolist()
        except NoDigitError:  # of a blot, which the page must not take for one either
            expected = None
            refused += 1
        bytes_ = "Uint8Array.from(atob($0), (letter) => letter.charCodeAt(0))"
        data = base64.b64encode(ink.tobytes()).decode()
        found = computed(page, f"dlproj.prepare({bytes_}, $1)", data, PAPER)
        assert (found is None) == (expected is None), f"drawing {number}"
        if found is not None:
            assert np.abs(np.array(found) - expected).max() <= 2, f"drawing {number}"
    assert refused < 10


def test_a_digit_is_drawn_with_the_pointer(
    page: webdriver.Chrome, file: Path, tmp_path: Path
) -> None:
    draw_seven(page)
    WebDriverWait(page, 20).until(lambda browser: "reads 7" in text(browser, "draw-answer"))
    path = tmp_path / "seven.png"
    painted(page, "paper").save(path)
    assert (seen(page) - read_picture(path).flatten().int()).abs().max() <= 2

    link, before = link_at_rest(page, "drawing"), seen(page)
    page.find_element(By.ID, "undo").click()
    WebDriverWait(page, 20).until(lambda browser: "Draw something" in text(browser, "draw-answer"))
    reopen(page, file, link)
    wait(page, "#draw-bars .best")
    assert torch.equal(seen(page), before)
    page.find_element(By.ID, "clear").click()
    WebDriverWait(page, 20).until(lambda browser: not seen(browser).any())


def test_a_finger_draws_too(page: webdriver.Chrome) -> None:
    draw_one(page)
    WebDriverWait(page, 20).until(lambda browser: "reads 1" in text(browser, "draw-answer"))


def test_a_picture_is_opened_or_dropped(
    page: webdriver.Chrome, images: Images, tmp_path: Path
) -> None:
    path = tmp_path / "own.png"
    picture = Image.fromarray((255 - 255 * images.pictures[0, 0].numpy()).astype(np.uint8))
    picture.resize((300, 300)).filter(ImageFilter.GaussianBlur(3)).save(path)
    page.find_element(By.ID, "picture").send_keys(str(path))
    expected = f"reads {images.labels[0]}"
    WebDriverWait(page, 20).until(lambda browser: expected in text(browser, "draw-answer"))
    page.find_element(By.ID, "clear").click()
    WebDriverWait(page, 20).until(lambda browser: "Draw something" in text(browser, "draw-answer"))
    drop(page, path)
    WebDriverWait(page, 20).until(lambda browser: expected in text(browser, "draw-answer"))
    (tmp_path / "no.png").write_text("no picture")
    page.find_element(By.ID, "picture").send_keys(str(tmp_path / "no.png"))
    WebDriverWait(page, 20).until(lambda browser: "cannot be read" in text(browser, "draw-answer"))


def test_examples_are_chosen_with_the_keys(page: webdriver.Chrome) -> None:
    gallery = page.find_element(By.CSS_SELECTOR, "#examples [role=listbox]")
    assert len(gallery.find_elements(By.CSS_SELECTOR, "[role=option]")) == 100
    gallery.send_keys(Keys.HOME)
    assert "It is a" in text(page, "draw-answer")  # the surest mistake
    gallery.send_keys(Keys.ARROW_RIGHT)
    assert gallery.get_attribute("aria-activedescendant") == "example-1"
    page.execute_script("document.getElementById('inside').open = true")
    wait(page, "#layers canvas")
    assert len(page.find_elements(By.CSS_SELECTOR, "#layers canvas")) == 4


def test_the_slider_fools_the_network_and_not_the_robust_one(page: webdriver.Chrome) -> None:
    show(page, "fool")
    wait(page, ".victim .answer")
    page.execute_script("document.getElementById('epsilon').focus()")
    page.switch_to.active_element.send_keys(Keys.END)
    verdicts = "return [...document.querySelectorAll('.victim .answer')].map(p => p.textContent)"
    WebDriverWait(page, 30).until(
        lambda browser: (
            [part[:6] for part in browser.execute_script(verdicts)] == ["Fooled", "Not fo"]
        )
    )
    page.switch_to.active_element.send_keys(Keys.HOME)
    WebDriverWait(page, 30).until(
        lambda browser: all(
            part.startswith("Not fooled") for part in browser.execute_script(verdicts)
        )
    )
    found = "return document.querySelector('.smallest').textContent"
    WebDriverWait(page, 60).until(lambda browser: "/255" in browser.execute_script(found))
    page.find_element(By.CSS_SELECTOR, ".smallest button").click()
    WebDriverWait(page, 30).until(
        lambda browser: browser.execute_script(verdicts)[0].startswith("Fooled")
    )


def test_words_are_read_letter_by_letter(page: webdriver.Chrome) -> None:
    show(page, "words")
    field = page.find_element(By.ID, "word")
    wait(page, "#word-bars .best")
    field.clear()
    field.send_keys("kirjasto")
    WebDriverWait(page, 20).until(lambda browser: "Finnish" in text(browser, "word-answer"))
    assert len(page.find_elements(By.CSS_SELECTOR, "#word-parts .chip")) > 5
    field.clear()
    field.send_keys("123")
    WebDriverWait(page, 20).until(lambda browser: "none of these" in text(browser, "word-answer"))
    page.execute_script("document.getElementById('word-list').open = true")
    page.find_element(By.ID, "list").send_keys("kirjasto\ngezellig")
    WebDriverWait(page, 20).until(lambda browser: "Dutch" in text(browser, "list-table"))


def loss(browser: webdriver.Chrome) -> float:
    return float(text(browser, "live-answer").rpartition("loss ")[2].rstrip("."))


def test_a_sine_is_learnt_in_the_page(page: webdriver.Chrome) -> None:
    show(page, "curve")
    wait(page, "#live-fit svg")
    assert loss(page) > 0.1
    page.find_element(By.ID, "train").click()
    WebDriverWait(page, 100).until(
        lambda browser: text(browser, "live-answer").startswith("Epoch 100")
    )
    assert loss(page) < 0.01


def test_own_points_are_learnt(page: webdriver.Chrome) -> None:
    show(page, "curve")
    wait(page, "#live-fit svg")
    page.execute_script("document.getElementById('own-points').open = true")
    points = "\n".join(f"{x}, {math.tanh(x - 5)}" for x in range(12))
    page.execute_script("document.getElementById('points').value = arguments[0]", points)
    page.find_element(By.ID, "take-points").click()
    before = loss(page)
    page.find_element(By.ID, "train").click()
    WebDriverWait(page, 60).until(
        lambda browser: text(browser, "live-answer").startswith("Epoch 100")
    )
    assert loss(page) < before / 5
    Select(page.find_element(By.ID, "live-function")).select_by_value("square")
    WebDriverWait(page, 20).until(lambda browser: "Epoch 0" in text(browser, "live-answer"))


def test_trainings_are_points_that_show_their_curves(page: webdriver.Chrome) -> None:
    show(page, "batchnorm")
    points = page.find_elements(By.CSS_SELECTOR, "#ablation-chart .run")
    assert len(points) > 10
    first = text(page, "ablation-answer")
    page.execute_script("arguments[0].focus()", points[0])
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert text(page, "ablation-answer") != first
    page.find_element(By.CSS_SELECTOR, "#ablation-arms input").click()
    assert 0 < len(page.find_elements(By.CSS_SELECTOR, "#ablation-chart .run")) < len(points)


def test_a_link_holds_the_state(page: webdriver.Chrome, file: Path) -> None:
    reopen(
        page, file, "tab=fool&example=3&epsilon=0.25&method=pgd&steps=7&word=zmarzlina&lr=-2&run=5"
    )
    wait(page, ".victim .answer")
    assert text(page, "epsilon-value").startswith("0.250")
    command = page.find_element(By.CSS_SELECTOR, "#fool-code .command")
    line = str(command.get_attribute("textContent"))
    assert line.endswith("dlproj attack --method pgd --steps 7 --epsilon 0.25")
    show(page, "words")
    wait(page, "#word-bars .best")
    assert page.find_element(By.ID, "word").get_attribute("value") == "zmarzlina"
    assert "word=zmarzlina" in page.current_url


@pytest.mark.parametrize(
    "state", ["tab=none", "example=9999&epsilon=x&run=-1", "drawing=%21%21", "pixels=AA&points=a,b"]
)
def test_a_broken_link_opens_the_page(page: webdriver.Chrome, file: Path, state: str) -> None:
    reopen(page, file, state)
    wait(page, "#draw-bars .best")
    for part in PARTS:
        show(page, part)


def test_the_page_asks_for_nothing(browser: webdriver.Chrome, file: Path) -> None:
    browser.get_log("performance")
    reopen(browser, file, "tab=draw")
    wait(browser, "#draw-bars .best")
    for part in PARTS:
        show(browser, part)
    assert requested(browser) <= {"file", "data"}
    blocked = "fetch('https://example.org').then(() => 'asked', () => 'refused')"
    assert computed(browser, blocked) == "refused"
    browser.get_log("browser")  # of the policy, about that


def test_every_part_fits_every_width_light_and_dark(page: webdriver.Chrome) -> None:
    sizes = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    colours = set()
    for part in PARTS:
        show(page, part)
        for width in WIDTHS:
            metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            scrolled, visible = page.execute_script(sizes)
            assert scrolled <= visible, f"{part} at {width}"
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    for scheme in ("light", "dark"):
        emulate(page, scheme)
        colours.add(page.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2


def test_everything_that_can_be_used_has_a_name(page: webdriver.Chrome) -> None:
    for part in PARTS:
        show(page, part)
    open_all(page)
    assert page.find_elements(By.CSS_SELECTOR, "[role=tablist] > :not([role=tab])") == []
    for part in PARTS:
        show(page, part)
        assert nameless(page) == [], part


def test_every_text_stands_out_from_what_is_behind_it(page: webdriver.Chrome) -> None:
    open_all(page)
    for part in PARTS:
        show(page, part)
        for scheme in ("light", "dark"):
            emulate(page, scheme)
            for pair, (ratio, needed) in page.execute_script(CONTRASTS).items():
                assert ratio >= needed, f"{part}, {scheme}: {pair}"


def test_every_question_has_an_answer(page: webdriver.Chrome) -> None:
    for part in PARTS:
        show(page, part)
        assert page.find_element(By.CSS_SELECTOR, f"#{part} h2").text.endswith("?")
        wait(page, f"#{part}-told:not(:empty)")
    curve = text(page, "curve-told")
    assert curve.startswith("The middle, ")
    epochs = [int(number) for number in re.findall(r"epoch (\d+)", curve)]
    assert 0 < epochs[0] < epochs[1] <= 100
    assert "It helps at 0.005, 0.3: the whole interval is above zero." in text(
        page, "batchnorm-told"
    )


@pytest.mark.parametrize(
    ("call", "limit"),  # in milliseconds, of the quickest of ten
    [
        ("dlproj.digits($0)", 30),
        ("dlproj.pgd($0, 7, 0.1, 10)", 500),
        ("dlproj.prepare($0.map(value => 255 * value), 28)", 100),
    ],
)
def test_it_is_quick_enough(
    page: webdriver.Chrome, images: Images, call: str, limit: float
) -> None:
    script = f"""(async () => {{
        const times = [];
        for (let turn = 0; turn < 10; turn++) {{
            const start = performance.now();
            await {call};
            times.push(performance.now() - start);
        }}
        return Math.min(...times);
    }})()"""
    assert computed(page, script, images.pictures[0].flatten().tolist()) <= limit


def test_the_page_is_small(file: Path) -> None:
    assert file.stat().st_size <= 8_000_000
    assert json.dumps("http:") not in file.read_text(encoding="utf-8")

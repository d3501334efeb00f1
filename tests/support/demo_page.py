"""What the tests of the page of `dlproj demo` do in a browser, and pictures to draw there."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from torch import Tensor

DRAWINGS = 100
PAPER = 280  # pixels of the drawing surface


def wait(browser: webdriver.Chrome, selector: str) -> None:
    """Wait until something is there."""
    WebDriverWait(browser, 60).until(lambda page: page.find_elements(By.CSS_SELECTOR, selector))


def reopen(browser: webdriver.Chrome, file: Path, state: str) -> None:
    """Open a link to the page."""
    browser.get("about:blank")
    browser.get(f"{file.as_uri()}#{state}")


def link_at_rest(browser: webdriver.Chrome, name: str) -> str:
    """What the address holds behind the #, once it has `name` and was the same for a second.

    The page writes it at each pause, so that a slow pen leaves links of unfinished drawings.
    """
    seen_last: list[str] = []

    def same_as_before(page: webdriver.Chrome) -> bool:
        seen_last.append(page.current_url)
        return f"{name}=" in seen_last[-1] and seen_last[-2:] == seen_last[-1:] * 2

    WebDriverWait(browser, 20, poll_frequency=1).until(same_as_before)
    return seen_last[-1].partition("#")[2]


def show(browser: webdriver.Chrome, part: str) -> None:
    browser.find_element(By.ID, f"tab-{part}").click()


def text(browser: webdriver.Chrome, name: str) -> str:
    return str(
        browser.execute_script("return document.getElementById(arguments[0]).textContent", name)
    )


def computed(browser: webdriver.Chrome, script: str, *arguments: Any) -> Any:
    """What an expression comes to, where $0, $1, … are arguments; it may be a promise."""
    for index in range(len(arguments)):
        script = script.replace(f"${index}", f"arguments[{index}]")
    done = f"arguments[{len(arguments)}]"
    return browser.execute_async_script(
        f"const done = {done}; Promise.resolve({script}).then(done)", *arguments
    )


# Pictures as base64 of bytes: what WebDriver takes as numbers, it takes slowly.
PIXELS = """const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
    const pictures = Array.from({ length: bytes.length / 784 }, (_, index) =>
        Array.from(bytes.subarray(784 * index, 784 * (index + 1)), (byte) => byte / 255));
    const done = arguments[arguments.length - 1];"""


def of_pictures(
    browser: webdriver.Chrome, pictures: Tensor, script: str, *arguments: Any
) -> Tensor:
    """What a call for each of `pictures` comes to; $1 is the first argument, a list."""
    data = base64.b64encode((255 * pictures).round().byte().numpy().tobytes()).decode()
    every = f"{PIXELS} Promise.all(pictures.map((pixels, index) => {script})).then(done)"
    made = browser.execute_async_script(every.replace("$1", "arguments[1]"), data, *arguments)
    return torch.tensor(made)


def drawings() -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Ink of strokes of many shapes, places and widths, their edges soft as a canvas makes them.

    The last two are a 7 in a circle and in a box.
    """
    random = np.random.default_rng(0)
    for _ in range(DRAWINGS):
        large = Image.new("L", (4 * PAPER, 4 * PAPER))
        pen = ImageDraw.Draw(large)
        width = int(random.integers(8, 40))
        for _ in range(random.integers(1, 4)):
            centre, size = random.uniform(90, 190, 2), random.uniform(25, 70, 2)
            angles = random.uniform(0, 6) + np.linspace(0, random.uniform(1, 6), 30)
            bend = np.stack([np.cos(angles), np.sin(angles * random.uniform(0.5, 1.5))], 1)
            for x, y in 4 * (centre + size * bend):
                pen.ellipse((x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width), fill=255)
        yield np.asarray(large.resize((PAPER, PAPER), Image.Resampling.BOX))
    for frame in (ImageDraw.ImageDraw.ellipse, ImageDraw.ImageDraw.rectangle):
        framed = Image.new("L", (PAPER, PAPER))
        pen = ImageDraw.Draw(framed)
        frame(pen, (60, 60, 220, 220), outline=255, width=8)
        pen.line([(115, 110), (165, 110), (135, 175)], fill=255, width=12)
        yield np.asarray(framed)


def painted(browser: webdriver.Chrome, canvas: str) -> Image.Image:
    """What is on a canvas."""
    script = "return document.getElementById(arguments[0]).toDataURL()"
    url = browser.execute_script(script, canvas)
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")


def seen(browser: webdriver.Chrome) -> Tensor:
    """The bytes (784,) in "What the network sees"."""
    return torch.from_numpy(np.array(painted(browser, "seen"))).flatten().int()


def draw_seven(browser: webdriver.Chrome) -> None:
    """Two strokes with the mouse."""
    paper = browser.find_element(By.ID, "paper")
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", paper)
    pen = ActionChains(browser, duration=20)
    pen.move_to_element_with_offset(paper, -60, -80).click_and_hold()
    pen.move_by_offset(120, 0).move_by_offset(-40, 80).move_by_offset(-30, 80).release().perform()


def draw_one(browser: webdriver.Chrome) -> None:
    """A line with a finger."""
    browser.execute_script(
        """const paper = document.getElementById('paper');
        const box = paper.getBoundingClientRect();
        const send = (kind, x, y) => paper.dispatchEvent(new PointerEvent(kind, { pointerId: 7,
            pointerType: 'touch', bubbles: true, clientX: box.x + x, clientY: box.y + y }));
        paper.setPointerCapture = () => {};
        send('pointerdown', 140, 40);
        for (let y = 40; y < 250; y += 10) send('pointermove', 140, y);
        send('pointerup', 140, 250);"""
    )


def drop(browser: webdriver.Chrome, path: Path) -> None:
    """Drop a picture on the drawing surface."""
    browser.execute_script(
        """const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([bytes], 'own.png', { type: 'image/png' }));
        const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
        document.getElementById('paper').dispatchEvent(event);""",
        base64.b64encode(path.read_bytes()).decode(),
    )


def open_all(browser: webdriver.Chrome) -> None:
    """Open everything that is folded."""
    browser.execute_script(
        "for (const part of document.querySelectorAll('details')) part.open = true"
    )


USED = [
    "button",
    "slider",
    "combobox",
    "textbox",
    "checkbox",
    "radio",
    "tab",
    "option",
    "img",
    "spinbutton",
    "listbox",
]


def nameless(browser: webdriver.Chrome) -> list[str]:
    """The roles of what can be used, and of pictures, without a name for a screen reader."""
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [
        node["role"]["value"]
        for node in tree
        if not node["ignored"]
        and node["role"]["value"] in USED
        and not node.get("name", {}).get("value")
    ]


# Of each text's colour and what is behind it: the contrast ratio, and what WCAG 2 AA asks for.
CONTRASTS = """
    const light = (colour) => {
        const [red, green, blue] = colour.map((part) => part / 255).map((part) =>
            part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const behind = (place) => {
        for (; place; place = place.parentElement) {
            const [red, green, blue, opacity = 1] = parts(getComputedStyle(place).backgroundColor);
            if (opacity) return [red, green, blue];
        }
        return [255, 255, 255];
    };
    const found = {};
    for (const place of document.querySelectorAll('body *')) {
        const texts = [...place.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
        if (!place.checkVisibility() || place.disabled || place.localName === 'option') continue;
        if (!texts.some((node) => node.textContent.trim())) continue;
        const { color, fill, fontSize, fontWeight } = getComputedStyle(place);
        const front = parts(place instanceof SVGElement ? fill : color).slice(0, 3);
        const [dark, bright] = [light(front), light(behind(place))].sort((a, b) => a - b);
        const large = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
        found[`${front} on ${behind(place)}`] = [(bright + 0.05) / (dark + 0.05), large ? 3 : 4.5];
    }
    return found"""

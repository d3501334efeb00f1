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
    """Ink of strokes of many shapes, places and widths, their edges soft as a canvas makes them."""
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


def painted(browser: webdriver.Chrome, canvas: str) -> Image.Image:
    """What is on a canvas."""
    script = "return document.getElementById(arguments[0]).toDataURL()"
    url = browser.execute_script(script, canvas)
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")

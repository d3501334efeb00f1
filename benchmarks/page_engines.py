"""What computes in the page of `dlproj demo`: its own engine, measured against TensorFlow.js.

Usage: python benchmarks/page_engines.py PAGE.html [TF.js]

PAGE is what `dlproj demo` wrote. Its prediction, FGSM, ten steps of PGD, the preparation of a
drawing, and the way from a stroke to its answer are timed. Processor time is printed beside the
time that passed, because other work of the machine adds to the latter alone. TF.js is
`package/dist/tf.es2017.min.js` of `npm pack @tensorflow/tfjs@4.22.0`, which computes the same
network on its `cpu` backend (the others need WebGL, or fetch a file). Both are measured in headless
Chromium, at full speed and four times slower, as a phone is. Sizes are in bytes as in a page, and
compressed as a server would send them.
"""

import argparse
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from dlproj.output.html import DEMO
from dlproj.output.modules import join_modules

TURNS = 20
PIXELS = """const pixels = Array.from({ length: 784 }, (_, place) => (place * 37 % 100) / 100);
    const paper = document.getElementById('paper');
    const send = (kind, x, y) => {
        const { x: left, y: top, width, height } = paper.getBoundingClientRect();
        const place = { clientX: left + x * width, clientY: top + y * height };
        paper.dispatchEvent(new PointerEvent(kind, { pointerId: 7, bubbles: true, ...place }));
    };"""
DRAWN = """paper.setPointerCapture = () => {};
    send('pointerdown', 0.3, 0.25);
    for (const [x, y] of [[0.7, 0.25], [0.45, 0.8]]) send('pointermove', x, y);"""
INK = """const { width, height } = paper;
    const { data } = paper.getContext('2d').getImageData(0, 0, width, height);
    const ink = Uint8Array.from({ length: width * height }, (_, place) => data[4 * place]);"""
ANSWER = """const answered = () => new Promise((resolve) => {
        const watch = new MutationObserver(() => { watch.disconnect(); resolve(); });
        watch.observe(document.getElementById('draw-answer'), { childList: true });
    });
    let angle = 0;
    const stroke = () => {
        const answer = answered();
        angle += 0.3;
        send('pointermove', 0.5 + 0.25 * Math.cos(angle), 0.5 + 0.3 * Math.sin(angle));
        return answer;
    };"""
OWN = {
    "prediction": "dlproj.digits(pixels)",
    "gradient": "dlproj.attack(pixels, 7, 0.1)",
    "pgd10": "dlproj.pgd(pixels, 7, 0.1, 10)",
    "preparation": "dlproj.prepare(ink, width)",
    "stroke": "stroke()",
}
LIBRARY = """const image = tf.tensor4d(pixels, [1, 28, 28, 1]);
    const random = (...shape) => tf.randomUniform(shape, -0.05, 0.05);
    const [one, two, three] = [random(3, 3, 1, 16), random(3, 3, 16, 32), random(3, 3, 32, 64)];
    const [hidden, output] = [random(1600, 500), random(500, 10)];
    const logits = (x) => {
        const a = tf.relu(tf.conv2d(x, one, 1, 'valid'));
        const b = tf.relu(tf.maxPool(tf.conv2d(a, two, 1, 'valid'), 2, 2, 'valid'));
        const c = tf.relu(tf.maxPool(tf.conv2d(b, three, 1, 'valid'), 2, 2, 'valid'));
        return tf.matMul(tf.relu(tf.matMul(c.reshape([1, 1600]), hidden)), output);
    };
    const slope = tf.grad((x) => tf.logSoftmax(logits(x)).sum());
    await tf.setBackend('cpu');"""
THEIRS = {"prediction": "logits(image).data()", "gradient": "slope(image).data()"}
TIMED = """const times = [];
    for (let turn = 0; turn < turns; turn++) {
        const start = performance.now();
        await WORK;
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[turns >> 1];"""


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description="Measure the page's engine.")
    parser.add_argument("page", type=Path)
    parser.add_argument("library", type=Path, nargs="?")
    arguments = parser.parse_args()
    script = join_modules(DEMO / "ui" / "main.js")
    print(json.dumps({"engine": "own, with all of the page", **sizes(script)}))
    with chromium() as browser:
        browser.get(arguments.page.resolve().as_uri())
        ready = "return document.querySelector('#draw-bars .best') !== null"
        WebDriverWait(browser, 60).until(lambda page: page.execute_script(ready))
        browser.execute_script(PIXELS + DRAWN)
        for slower in (1, 4):
            found = measure(browser, PIXELS + INK + ANSWER, OWN, slower)
            print(json.dumps({"engine": "own", "slower": slower, **found}))
        if arguments.library:
            library = arguments.library.read_text(encoding="utf-8")
            print(json.dumps({"engine": "TensorFlow.js", **sizes(library)}))
            browser.get("about:blank")
            browser.execute_script(library + "; window.tf = tf ?? window.tf;")
            for slower in (1, 4):
                found = measure(browser, PIXELS + LIBRARY, THEIRS, slower)
                print(json.dumps({"engine": "TensorFlow.js", "slower": slower, **found}))


def sizes(script: str) -> dict[str, int]:
    """Of a script, in bytes."""
    data = script.encode()
    return {"bytes": len(data), "compressed": len(zlib.compress(data, 9))}


def measure(
    browser: webdriver.Chrome, start: str, works: dict[str, str], slower: int
) -> dict[str, Any]:
    """Milliseconds of each work: the median that passed, and the mean that its thread computed."""
    browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": slower})
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    found = {}
    for name, work in works.items():
        before = computed(browser)
        body = f"{start}{TIMED.replace('WORK', work)}"
        script = f"const [turns, done] = arguments; (async () => {{{body}}})().then(done)"
        passed = browser.execute_async_script(script, TURNS)
        mean = (computed(browser) - before) / TURNS
        found[name] = {"passed_ms": round(passed, 1), "computed_ms": round(1000 * mean, 1)}
    return found


def computed(browser: webdriver.Chrome) -> float:
    """Seconds of processor time that the page's main thread has had."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(item["value"] for item in metrics if item["name"] == "ThreadTime"))


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A headless browser: Debian's chromium and chromium-driver."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(flag)
        driver = webdriver.ChromeService(shutil.which("chromedriver"))
        browser = webdriver.Chrome(options=options, service=driver)
        browser.set_script_timeout(300)
        try:
            yield browser
        finally:
            browser.quit()


if __name__ == "__main__":
    main()

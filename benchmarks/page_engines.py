"""What computes in the page of `dlproj demo`: its own engine, measured against TensorFlow.js.

Usage: python benchmarks/page_engines.py PAGE.html [TF.js]

PAGE is what `dlproj demo` wrote. Its prediction, FGSM, ten steps of PGD, the preparation of a
drawing, and the way from a stroke to the bars are timed. TF.js is `package/dist/tf.es2017.min.js`
of `npm pack @tensorflow/tfjs@4.22.0`, which computes the same network on its `cpu` backend (the
others need WebGL, or fetch a file). Both are measured in headless Chromium, at full speed and four
times slower, as a phone is. Sizes are in bytes as in a page, and compressed as a server would send
them.
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

from dlproj.output.html import DEMO
from dlproj.output.modules import join_modules

TURNS = 20  # the middle one counts, and beside it the quickest, which other work disturbs less
TIMED = """const [turns, done] = arguments;
    const timed = async (work) => {
        const times = [];
        for (let turn = 0; turn < turns; turn++) {
            const start = performance.now();
            await work();
            times.push(performance.now() - start);
        }
        times.sort((a, b) => a - b);
        return [times[turns >> 1], times[0]];
    };
    const pixels = Array.from({ length: 784 }, (_, place) => (place * 37 % 100) / 100);
"""
OWN = """const paper = document.getElementById('paper');
    const box = paper.getBoundingClientRect();
    paper.setPointerCapture = () => {};
    const send = (kind, x, y) => paper.dispatchEvent(new PointerEvent(kind, { pointerId: 7,
        bubbles: true, clientX: box.x + x * box.width, clientY: box.y + y * box.height }));
    const ink = () => {
        const { width, height } = paper;
        const { data } = paper.getContext('2d').getImageData(0, 0, width, height);
        return Uint8Array.from({ length: width * height }, (_, place) => data[4 * place]);
    };
    const barsMoved = () => new Promise((resolve) => {
        const watch = new MutationObserver(() => { watch.disconnect(); resolve(); });
        watch.observe(document.getElementById('draw-bars'), { attributes: true, subtree: true });
    });
    let turn = 0;
    const stroke = async () => {
        const moved = barsMoved();
        const angle = 0.3 * ++turn;
        send('pointermove', 0.5 + 0.25 * Math.cos(angle), 0.5 + 0.3 * Math.sin(angle));
        await moved;
    };
    (async () => {
        send('pointerdown', 0.75, 0.5);
        const strokes = await timed(stroke);
        send('pointerup', 0.75, 0.5);
        const drawn = ink();
        done({
            prediction: await timed(() => dlproj.digits(pixels)),
            gradient: await timed(() => dlproj.attack(pixels, 7, 0.1)),
            pgd10: await timed(() => dlproj.pgd(pixels, 7, 0.1, 10)),
            preparation: await timed(() => dlproj.prepare(drawn, paper.width)),
            stroke: strokes,
        });
    })()"""
THEIRS = """const image = tf.tensor4d(pixels, [1, 28, 28, 1]);
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
    (async () => {
        await tf.setBackend('cpu');
        done({
            prediction: await timed(() => logits(image).data()),
            gradient: await timed(() => slope(image).data()),
        });
    })()"""


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
        for slower in (1, 4):
            print(json.dumps({"engine": "own", "slower": slower, **measure(browser, OWN, slower)}))
        if arguments.library:
            library = arguments.library.read_text(encoding="utf-8")
            print(json.dumps({"engine": "TensorFlow.js", **sizes(library)}))
            browser.get("about:blank")
            browser.execute_script(library + "; window.tf = tf ?? window.tf;")
            for slower in (1, 4):
                found = measure(browser, THEIRS, slower)
                print(json.dumps({"engine": "TensorFlow.js", "slower": slower, **found}))


def sizes(script: str) -> dict[str, int]:
    """Of a script, in bytes."""
    data = script.encode()
    return {"bytes": len(data), "compressed": len(zlib.compress(data, 9))}


def measure(browser: webdriver.Chrome, script: str, slower: int) -> dict[str, Any]:
    """Milliseconds of what a script times: the median and the least."""
    browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": slower})
    found = browser.execute_async_script(TIMED + script, TURNS)
    return {
        f"{name}_ms": {"median": round(middle, 1), "least": round(least, 1)}
        for name, (middle, least) in found.items()
    }


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

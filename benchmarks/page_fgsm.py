"""FGSM in the page of `dlproj demo`, pixel by pixel against torch, at several epsilons.

Usage: python benchmarks/page_fgsm.py PAGE.html [--limit 1000]

PAGE is what `dlproj demo` wrote from what ships. Printed for each network and epsilon: the share of
pixels that differ, and of images whose prediction does.
"""

import argparse
import base64
import json
from pathlib import Path

import torch
from page_engines import chromium
from torch import Tensor

from dlproj.attacks import fgsm
from dlproj.data.digits import load_digits, to_pixels
from dlproj.models.files import DIGITS, SHIPPED, load_model

EPSILONS = (0.01, 0.05, 0.1, 0.2, 0.3)
AT_ONCE = 50
SAME = 1e-6  # pixels that differ by less are the same number, rounded
NETWORKS = {"digits": DIGITS, "robust": SHIPPED / "robust.safetensors"}
SCRIPT = """const [text, labels, epsilon, which, done] = arguments;
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const pixels = (index) =>
        Array.from(bytes.subarray(784 * index, 784 * (index + 1)), (byte) => byte / 255);
    const attacked = labels.map((label, index) =>
        dlproj.attack(pixels(index), label, epsilon, which));
    Promise.all(attacked).then((images) => {
        let text = '';
        for (const byte of new Uint8Array(Float32Array.from(images.flat()).buffer))
            text += String.fromCharCode(byte);
        done(btoa(text));
    })"""


def main() -> None:
    """Compare what the command line names."""
    parser = argparse.ArgumentParser(description="Compare the page's FGSM with torch's.")
    parser.add_argument("page", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    arguments = parser.parse_args()
    test = load_digits().test
    pictures, labels = test.pictures[: arguments.limit], test.labels[: arguments.limit]
    images = to_pixels(pictures)
    with chromium() as browser:
        browser.get(arguments.page.resolve().as_uri())
        for name, path in NETWORKS.items():
            model, _ = load_model(path)
            for epsilon in EPSILONS:
                expected = fgsm(model, images, labels, epsilon=epsilon).flatten(1)
                found = torch.cat(
                    [
                        decoded(browser.execute_async_script(SCRIPT, *batch, epsilon, name))
                        for batch in zip(
                            map(encoded, pictures.split(AT_ONCE)),
                            (part.tolist() for part in labels.split(AT_ONCE)),
                            strict=True,
                        )
                    ]
                )
                print(
                    json.dumps(
                        {"network": name, "epsilon": epsilon, **differences(model, found, expected)}
                    ),
                    flush=True,
                )


def encoded(pictures: Tensor) -> str:
    """Bytes as base64."""
    return base64.b64encode(pictures.numpy().tobytes()).decode()


def decoded(text: str) -> Tensor:
    """Images (n, 784)."""
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.float32).view(-1, 784)


@torch.no_grad()
def differences(model: torch.nn.Module, found: Tensor, expected: Tensor) -> dict[str, float]:
    """Of images (n, 784): how many pixels, and how many predictions, are not the same."""
    classes = [model(images.view(-1, 1, 28, 28)).argmax(1) for images in (found, expected)]
    return {
        "pixels": ((found - expected).abs() > SAME).double().mean().item(),
        "predictions": (classes[0] != classes[1]).double().mean().item(),
    }


if __name__ == "__main__":
    main()

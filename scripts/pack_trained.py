"""Make of a finished run the weights that ship: with their origin, and their tables small if asked.

Usage: python scripts/pack_trained.py RUN TARGET.safetensors [--small] [--half] [--nibbles]
    [--measured RUN] [--note NOTE.json]

A run that trained on all words cannot measure itself: with --measured, accuracy, calibration error
and temperature are those of another run, which held words out.
"""

import argparse
import json
from pathlib import Path

import torch

from dlproj.models.files import load_model
from dlproj.models.ngrams import NgramBag
from dlproj.store.nibbles import to_nibbles
from dlproj.store.runs import write_file
from dlproj.store.weights import pack

LARGE = 100_000


def measurement(run: Path) -> dict[str, float]:
    """What a run found on words that it had not seen."""
    metrics = json.loads((run / "result.json").read_text(encoding="utf-8"))["metrics"]
    error = metrics["calibration"]["expected_error"]
    return {"test_accuracy": metrics["test_accuracy"], "expected_calibration_error": error}


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack the weights of a run to ship.")
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument(
        "--small", action="store_true", help=f"8 bits for a number in tables of over {LARGE:,}"
    )
    parser.add_argument("--measured", type=Path, help="run that held words out")
    parser.add_argument("--half", action="store_true", help="16 bits for a number")
    parser.add_argument("--nibbles", action="store_true", help="4 bits in an n-gram bag's tables")
    parser.add_argument("--note", type=Path, help="JSON to keep beside the weights")
    arguments = parser.parse_args()
    result = json.loads((arguments.run / "result.json").read_text(encoding="utf-8"))
    config, metrics = result["config"], result["metrics"]
    model, about = load_model(arguments.run)
    weights = model.state_dict()
    if arguments.nibbles:
        assert isinstance(model, NgramBag)  # noqa: S101 - for the type checker
        model.shorten()  # in place, so that `weights` are short, too
        small = {name: to_nibbles(weights[name]) for name in ("table", "log_odds")}
        weights |= {name: packed for name, (packed, _) in small.items()}
        about["nibbles"] = {name: how for name, (_, how) in small.items()}
    if arguments.small:
        large = [name for name, value in weights.items() if value.numel() > LARGE]
        floats = [name for name in large if weights[name].is_floating_point()]
        weights |= {name: weights[name].to(torch.float8_e4m3fn) for name in floats}
    if arguments.half:
        floats = [name for name, value in weights.items() if value.is_floating_point()]
        weights |= {name: weights[name].half() for name in floats}
    if arguments.note:
        about |= json.loads(arguments.note.read_text(encoding="utf-8"))
    flags = " ".join(f"--{name} {config[name]}" for name in ("recipe", "seed"))
    flags += " --adversarial" if config.get("adversarial") else ""
    origin = {
        "command": f"dlproj {config['command']} {flags}",
        "test_accuracy": metrics["test_accuracy"],
        "torch": result["environment"]["torch"],
    }
    if arguments.measured:
        held_out, _ = load_model(arguments.measured)
        weights["temperature"] = held_out.temperature
        origin |= measurement(arguments.measured) | {
            "command": f"{origin['command']} --no-held-out",
            "measured_by": origin["command"],
        }
    write_file(arguments.target, pack(weights, about | {"origin": origin}))
    print(f"{arguments.target}: {arguments.target.stat().st_size:,} bytes, {origin}")


if __name__ == "__main__":
    main()

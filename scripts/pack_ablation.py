"""Make of a finished run of `ablate-batchnorm` the small file that the page of `demo` shows.

Usage: python scripts/pack_ablation.py RUN TARGET.json
"""

import argparse
import json
from pathlib import Path

from dlproj.reports.finished import load_run
from dlproj.store.runs import write_file
from dlproj.tools.demo.parts import ablation


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack the trainings of a run to ship.")
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    text = json.dumps(ablation(load_run(arguments.run)), separators=(",", ":"))
    write_file(arguments.target, text.encode() + b"\n")
    print(f"{arguments.target}: {arguments.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

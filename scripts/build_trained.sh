#!/usr/bin/env bash
# Train the networks that ship with the package, for `attack` and the predict commands.
# Usage: scripts/build_trained.sh (about ten minutes on two cores)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scripts/run.sh train-digits --no-plots --out "$work/digits"
scripts/run.sh train-langid --recipe best --no-plots --out "$work/langid"
scripts/run.sh train-digits --recipe pictures --validation 5000 --threads 1 --no-plots --out "$work/pictures"
.venv/bin/python benchmarks/calibrate_pictures.py "$work/pictures" >"$work/pictures.json"
.venv/bin/python scripts/pack_trained.py "$work/pictures" src/dlproj/trained/pictures.safetensors \
  --half --note "$work/pictures.json"
.venv/bin/python scripts/pack_trained.py "$work/digits" src/dlproj/trained/digits.safetensors
.venv/bin/python scripts/pack_trained.py "$work/langid" src/dlproj/trained/langid.safetensors --small

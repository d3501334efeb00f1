#!/usr/bin/env bash
# Train the two networks that ship with the package, for `attack` and the predict commands.
# The languages of words are trained twice: on the training words, to measure on the others; then on
# all words, which ship. Usage: scripts/build_trained.sh (some minutes on two cores)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scripts/run.sh train-digits --no-plots --out "$work/digits"
scripts/run.sh train-langid --recipe best --no-plots --out "$work/measured"
scripts/run.sh train-langid --recipe best --no-held-out --no-plots --out "$work/langid"
.venv/bin/python scripts/pack_trained.py "$work/digits" src/dlproj/trained/digits.safetensors
.venv/bin/python scripts/pack_trained.py "$work/langid" src/dlproj/trained/langid.safetensors --small \
    --measured "$work/measured"

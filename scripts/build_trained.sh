#!/usr/bin/env bash
# Train the networks that ship with the package, for `attack`, the predict commands and `demo`; and
# the trainings with and without BatchNorm that the page of `demo` shows.
# Usage: scripts/build_trained.sh (20 to 40 minutes on two cores)
#
# The languages of words are trained twice: on the training words, to be measured on the others; then
# on all words, which is what ships.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scripts/run.sh train-digits --no-plots --out "$work/digits"
scripts/run.sh train-langid --recipe best --no-plots --out "$work/measured"
scripts/run.sh train-langid --recipe best --no-held-out --no-plots --out "$work/langid"
scripts/run.sh train-digits --adversarial --no-plots --out "$work/robust"
scripts/run.sh train-digits --recipe pictures --validation 5000 --threads 1 --no-plots \
    --out "$work/pictures"
scripts/run.sh ablate-batchnorm --no-plots --out "$work/ablation"
.venv/bin/python benchmarks/calibrate_pictures.py "$work/pictures" >"$work/pictures.json"
.venv/bin/python scripts/pack_trained.py "$work/pictures" src/dlproj/trained/pictures.safetensors \
    --half --note "$work/pictures.json"
.venv/bin/python scripts/pack_trained.py "$work/digits" src/dlproj/trained/digits.safetensors
.venv/bin/python scripts/pack_trained.py "$work/langid" src/dlproj/trained/langid.safetensors --small \
    --nibbles --measured "$work/measured"
.venv/bin/python scripts/pack_trained.py "$work/robust" src/dlproj/trained/robust.safetensors --small
.venv/bin/python scripts/pack_ablation.py "$work/ablation" src/dlproj/trained/ablation.json

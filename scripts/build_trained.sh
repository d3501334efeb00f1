#!/usr/bin/env bash
# Train the two networks that ship with the package, for `attack` and the predict commands.
# Usage: scripts/build_trained.sh (about 6 minutes on two cores)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scripts/run.sh train-digits --no-plots --out "$work/digits"
scripts/run.sh train-langid --recipe best --no-plots --out "$work/langid"
for name in digits langid; do
    cp "$work/$name/model.safetensors" "src/dlproj/trained/$name.safetensors"
done

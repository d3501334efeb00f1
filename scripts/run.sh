#!/usr/bin/env bash
# Run dlproj from a fresh clone: make .venv when missing, install into it when needed, run.
# Usage: scripts/run.sh train-digits --lr 0.02
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/install.sh" run
exec "$root/.venv/bin/dlproj" "$@"

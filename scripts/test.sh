#!/usr/bin/env bash
# Run everything that must hold: format, lint, types, tests. Arguments go to pytest.
# Usage: scripts/test.sh [-k name]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/install.sh" test
cd "$root"
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/mypy
OMP_WAIT_POLICY=PASSIVE .venv/bin/pytest "$@"

#!/usr/bin/env bash
# Run everything that must hold: format, lint, layers, types, tests (one process of them to a core).
# Arguments go to pytest.
# Usage: scripts/test.sh [-k name]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/install.sh" test
cd "$root"
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/lint-imports --no-logo
.venv/bin/mypy
OMP_WAIT_POLICY=PASSIVE .venv/bin/pytest -n auto --maxprocesses 4 --dist worksteal "$@"

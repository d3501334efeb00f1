#!/usr/bin/env bash
# Bring .venv up to what pyproject.toml and constraints.txt ask for; nothing to do is done fast.
# Usage: scripts/install.sh run|dev
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
    run) what="." ;;
    dev) what=".[dev]" ;;
    *) echo "usage: scripts/install.sh run|dev" >&2; exit 2 ;;
esac
wanted=$(cat pyproject.toml constraints.txt | sha256sum)
done_dev=$(cat .venv/installed-dev 2>/dev/null || true)
done_run=$(cat .venv/installed-run 2>/dev/null || true)
if [ "$wanted" = "$done_dev" ] || { [ "$1" = run ] && [ "$wanted" = "$done_run" ]; }; then
    exit 0
fi
echo "installing into .venv (once; a few minutes)" >&2
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable "$what" >&2
echo "$wanted" > ".venv/installed-$1"

#!/usr/bin/env bash
# Bring .venv up to what pyproject.toml and constraints.txt ask for; nothing to do is done fast.
# Usage: scripts/install.sh run|test
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
    run) what="." ;;
    test) what=".[test]" ;;
    *) echo "usage: scripts/install.sh run|test" >&2; exit 2 ;;
esac
wanted=$(cat pyproject.toml constraints.txt | sha256sum)
done_test=$(cat .venv/installed-test 2>/dev/null || true)
done_run=$(cat .venv/installed-run 2>/dev/null || true)
if [ "$wanted" = "$done_test" ] || { [ "$1" = run ] && [ "$wanted" = "$done_run" ]; }; then
    exit 0
fi
echo "installing into .venv (once; a few minutes)" >&2
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable "$what" >&2
echo "$wanted" > ".venv/installed-$1"

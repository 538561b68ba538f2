#!/bin/sh
# `make experiments`, `make robustness`: everything that docs/experiments.md shows, made again where
# something changed. Variables: ONLY (a name), PACK, DATA, OPEN_DEV (a reason: opens dev's closed
# sources, and counts the look).
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh experiments
log=build/experiments.log
mkdir -p build
if [ ! -x build/release/cli/item ] && ! python3 tools/build.py >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi

tools/venv.sh experiments experiments/requirements.txt
set -- --suite "${1:-experiments}"
[ -z "${ONLY:-}" ] || set -- "$@" --only "$ONLY"
[ -z "${PACK:-}" ] || set -- "$@" --pack "$PACK"
[ -z "${DATA:-}" ] || set -- "$@" --data "$DATA"
if [ -n "${OPEN_DEV:-}" ]; then
    set -- "$@" --open-dev "$OPEN_DEV"
fi
exec build/experiments-venv/bin/python experiments/run.py "$@"

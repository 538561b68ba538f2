#!/bin/sh
# `make experiments`, `make robustness`: everything that docs/experiments.md shows, made again where
# something changed. Variables: ONLY (a name), PACK, DATA, OPEN_DEV (a reason: opens dev's closed
# sources, and counts the look).
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh demo
log=build/experiments.log
mkdir -p build
if [ ! -x build/release/cli/item ] && ! python3 tools/build.py >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi

# An environment is complete when it says which versions it has.
venv=build/experiments-venv
if ! cmp -s experiments/requirements.txt $venv/complete; then
    echo "Installing Python packages into $venv (log: $log) ..."
    if ! { python3 -m venv --clear $venv && $venv/bin/pip install --disable-pip-version-check \
        -r experiments/requirements.txt && cp experiments/requirements.txt $venv/complete; } >$log 2>&1; then
        tail -n 40 $log >&2
        exit 1
    fi
fi

set -- --suite "${1:-experiments}"
[ -z "${ONLY:-}" ] || set -- "$@" --only "$ONLY"
[ -z "${PACK:-}" ] || set -- "$@" --pack "$PACK"
[ -z "${DATA:-}" ] || set -- "$@" --data "$DATA"
if [ -n "${OPEN_DEV:-}" ]; then
    set -- "$@" --open-dev "$OPEN_DEV"
fi
exec $venv/bin/python experiments/run.py "$@"

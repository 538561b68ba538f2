#!/bin/sh
# The Python packages that experiments and their tests need, in build/experiments-venv: made where
# it is not there, and again where experiments/requirements.txt changed.
set -eu
cd "$(dirname "$0")/.."
log=build/experiments-env.log
venv=build/experiments-venv
mkdir -p build
# An environment is complete when it says which versions it has.
cmp -s experiments/requirements.txt $venv/complete && exit 0
echo "Installing Python packages into $venv (log: $log) ..."
if ! { python3 -m venv --clear $venv && $venv/bin/pip install --disable-pip-version-check \
    -r experiments/requirements.txt && cp experiments/requirements.txt $venv/complete; } >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi

#!/bin/sh
# `make parity`: published models, this library against the Python library transformers.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh check
log=build/parity.log
mkdir -p build
if ! { python3 tools/build.py --tests && meson install -C build/release --no-rebuild; } >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi
exec python3 tests/parity/run.py "$@"

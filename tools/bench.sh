#!/bin/sh
# `make bench`: time, throughput and memory of the small pack, as ratios within one run.
# `make bench-models`: published models, beside the Python library transformers.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh demo
log=build/bench.log
mkdir -p build
if ! { python3 tools/build.py && ninja -C build/release tests/bench/bench tests/bench/bench-cancel tests/bench/bench-models &&
    meson install -C build/release --no-rebuild; } >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi
if [ "${1:-}" = models ]; then
    shift
    exec python3 tests/bench/models.py "$@"
fi
# The installed library, so that engine and pack are found as users find them.
LD_LIBRARY_PATH=$(dirname "$(find build/prefix -name libitem.so)") \
    exec build/release/tests/bench/bench "$@" examples/pictures/*.jpg

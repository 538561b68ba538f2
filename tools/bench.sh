#!/bin/sh
# `make bench`: time, throughput and memory of the small pack, as ratios within one run.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh demo
mkdir -p build
python3 tools/build.py release >build/bench.log 2>&1 || { tail -n 40 build/bench.log >&2; exit 1; }
meson install -C build/release --no-rebuild >>build/bench.log
exec python3 tests/bench/run.py build/release

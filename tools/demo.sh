#!/bin/sh
# `make demo`: installs what is missing, builds, installs below build/prefix, checks the twelve
# pictures of examples/pictures, and says how far the answers of the small pack can be trusted.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh demo

log=build/demo.log
mkdir -p build
echo "Building (log: $log) ..."
if ! { python3 tools/build.py && meson install -C build/release --no-rebuild; } >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi

# Written by tools/build.py; the program finds library, engine and pack beside itself.
item=build/prefix/bin/item
echo
$item check examples/pictures/*.jpg
echo
echo "Measured on pictures of sources that nothing here was made with:"
cat packs/small/heldout.txt
echo
echo "Try your own: $item check FILE, or $item --help"

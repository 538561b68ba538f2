#!/bin/sh
# `make demo`: installs what is missing, builds, installs below build/prefix, checks the twelve
# pictures of examples/pictures, and says at last how far the answers of the small pack can be
# trusted.
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
# Checks the pictures of one kind, as the table beside them says.
group() {
    echo
    echo "$2:"
    $item check $(awk -F'|' -v kind="$1" '$3 ~ "^ " kind {
        count = split($2, names, ",")
        for (i = 1; i <= count; i++) {
            gsub(/ /, "", names[i])
            print "examples/pictures/" names[i]
        }
    }' examples/pictures/README.md)
}
group photograph "Photographs"
group generated "Generated"
echo
echo "Try your own: $item check FILE, or $item --help"
echo
echo "Measured on pictures of sources that nothing here was made with:"
tr -d '`' <packs/small/heldout.txt

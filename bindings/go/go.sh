#!/bin/sh
# The go command in this folder, on the libitem of this checkout: `bindings/go/go.sh test ./...`
# builds and installs it below build/prefix first (tools/build.py). No network, no other module.
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
log=$root/build/go.log
mkdir -p "$root/build"
if ! { python3 "$root/tools/build.py" && meson install -C "$root/build/release" --no-rebuild; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    exit 1
fi
lib=$root/build/prefix/lib/$(gcc -print-multiarch)
export PKG_CONFIG_PATH="$lib/pkgconfig" LD_LIBRARY_PATH="$lib" PATH="$root/build/prefix/bin:$PATH"
export GOFLAGS=-mod=mod GOPROXY=off GODEBUG=cgocheck=2
exec go "$@"

#!/bin/sh
# Eight clients send the pictures of examples/pictures to the example service for three minutes, as
# fast as it answers: `bindings/go/soak.sh [-clients N] [-time 3m]`. What it prints stands in docs/go.md.
set -eu
cd "$(dirname "$0")"
out=$(cd ../.. && pwd)/build/go
mkdir -p "$out"
./go.sh build -o "$out/" ./examples/service ./internal/soak
LD_LIBRARY_PATH=$(cd ../.. && pwd)/build/prefix/lib/$(gcc -print-multiarch)
export LD_LIBRARY_PATH
exec "$out/soak" -service "$out/service" "$@" ../../examples/pictures/*.jpg

#!/bin/sh
# Hours of eight threads that open, check, cancel and close on the small pack: prints what the
# process holds each minute, and fails where a call failed or memory, threads or files grew.
#     tools/soak.sh [--minutes N]        60 minutes unless told otherwise
set -eu
cd "$(dirname "$0")/.."
minutes=60
case "${1:-}" in
"") ;;
--minutes) minutes=${2:?"--minutes needs a number"} ;;
*)
    echo "usage: $0 [--minutes N]" >&2
    exit 2
    ;;
esac
log=build/soak.log
mkdir -p build
tools/install-deps.sh check
if ! python3 tools/build.py --tests >$log 2>&1; then
    tail -n 40 $log >&2
    exit 1
fi
exec meson devenv -C build/release tests/lasting/soak "$minutes"

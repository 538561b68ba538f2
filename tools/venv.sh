#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# venv.sh NAME REQUIREMENTS - the Python packages of a file of requirements, in build/NAME-venv: made
# where it is not there, and again where the file changed.
set -eu
requirements=$(realpath "$2")
cd "$(dirname "$0")/.."
log=build/$1-venv.log
venv=build/$1-venv
mkdir -p build
# An environment is complete when it says which versions it has.
cmp -s "$requirements" "$venv/complete" && exit 0
echo "Installing Python packages into $venv (log: $log) ..."
if ! { python3 -m venv --clear "$venv" && "$venv/bin/pip" install --disable-pip-version-check \
    -r "$requirements" && cp "$requirements" "$venv/complete"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    exit 1
fi

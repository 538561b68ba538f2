#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# other_torch.sh FOLDER - builds the engine with another libtorch than the distribution's, runs its
# tests, and uses an installation of it. FOLDER holds include/ and lib/, such as the folder `torch`
# of an installed wheel (docs/getting-started.md). What is built stays in build/other-torch.
set -eu
if [ $# -ne 1 ] || [ ! -d "$1/include" ] || [ ! -d "$1/lib" ]; then
  echo "usage: tools/other_torch.sh FOLDER-WITH-INCLUDE-AND-LIB" >&2
  exit 2
fi
torch=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
build=build/other-torch
if [ -d $build ]; then
  meson configure $build "-Dtorch=$torch"
else
  meson setup $build --buildtype=release "--prefix=$PWD/build/other-prefix" --werror \
    -Dtests=true "-Dtorch=$torch"
fi
ninja -C $build
meson test -C $build --suite engine --print-errorlogs
python3 tests/install/run.py $build

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh [PREFIX] - `make install`: installs what is missing, builds, and installs libitem, its
# engine, pack, headers and program below PREFIX (/usr/local), as root or with sudo.
set -eu
prefix=${1:-/usr/local}
cd "$(dirname "$0")/.."
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
tools/install-deps.sh demo
[ -e build/local/build.ninja ] ||
    meson setup build/local --buildtype release --prefix "$prefix" -Dtests=false
meson configure build/local --prefix "$prefix"
ninja -C build/local
$as_root meson install -C build/local --no-rebuild --quiet
$as_root ldconfig
echo "Installed in $prefix; away again: ninja -C build/local uninstall"

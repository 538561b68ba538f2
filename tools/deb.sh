#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deb.sh - builds the Debian packages into build/deb, from a copy of the sources there. Installs what
# building them takes, as root or with sudo.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin # Debian's Python, whatever other one comes first
cd "$(dirname "$0")/.."
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
if ! dpkg-checkbuilddeps 2>/dev/null; then
    $as_root apt-get -qq update
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 build-dep -y --no-install-recommends ./
fi
rm -rf build/deb
mkdir -p build/deb/libitem
tar -cf - '--exclude=./build*' '--exclude=./obj-*' --exclude=./.git . | tar -xf - -C build/deb/libitem
# debugging symbols are for those who ask for them
(cd build/deb/libitem && DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-} noautodbgsym" dpkg-buildpackage -us -uc -b)
rm -r build/deb/libitem
ls build/deb/*.deb

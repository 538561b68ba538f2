#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# try-deb.sh FOLDER - installs the packages that dpkg-buildpackage left in FOLDER into a new root of
# Debian 12, uses them there, and purges them. By hand, as root: it takes minutes, 2 GB below build/ and
# Debian's mirror, which it asks apt for.
set -eu
if [ $# -ne 1 ] || ! ls "$1"/libitem0.2_*.deb >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "usage, as root: tools/try-deb.sh FOLDER-WITH-THE-PACKAGES" >&2
    exit 2
fi
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' |
    awk '$2 == "bookworm" { print $1; exit }')
root=$PWD/build/try-deb
rm -rf "$root"
mkdir -p build
debootstrap --variant=minbase bookworm "$root" "$mirror" >build/try-deb.log

inside() { chroot "$root" env LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
mkdir "$root/debs" "$root/try"
cp "$folder"/*.deb "$root/debs"
cp examples/pictures/surfing_dog.jpg "$root/try/photo.jpg"
awk '/^```/ { inside = $0 == "```c"; next } inside' README.md >"$root/try/check.c"

inside sh -c 'apt-get -qq install -y --no-install-recommends /debs/item_*.deb /debs/libitem0.2_*.deb \
    /debs/libitem-torch_*.deb /debs/item-pack-small_*.deb /debs/libitem-dev_*.deb gcc libc6-dev pkg-config' \
    >>build/try-deb.log
inside item check --json /try/photo.jpg
inside sh -c 'cd /try && cc check.c $(pkg-config --cflags --libs item) -o check && ./check'

packages="item libitem0.2 libitem-torch item-pack-small libitem-dev"
inside dpkg -L $packages | grep -E '/lib/.*/(lib)?item|/share/.*item|/include/item|/bin/item' | sort -u >build/try-deb.files
inside apt-get -qq purge -y $packages >>build/try-deb.log
left=$(while read -r file; do [ ! -e "$root$file" ] || echo "$file"; done <build/try-deb.files)
[ -s build/try-deb.files ] || left="(the packages held nothing)"
if [ -n "$left" ]; then
    echo "left after purge: $left" >&2
    exit 1
fi
echo "Installed, used, compiled against, purged: nothing is left."

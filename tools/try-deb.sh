#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# try-deb.sh - builds the Debian packages in a new root of Debian 12, reads them with lintian, installs
# them in another new root, uses them there from the shell, C and Python, and purges them. By hand, as
# root: it takes five to fifteen minutes, 6 GB below build/, and Debian's mirror.
set -eu
cd "$(dirname "$0")/.."
. tools/clean-root.sh

new_root deb-build
git clone -q --no-local . "$root/libitem"
cp examples/pictures/surfing_dog.jpg "$root/libitem/photo.jpg"
begin "Python, from the sources"
user tools/deb.sh
user apt-get install -y --no-install-recommends ./build/deb/*.deb
user "python3 -c 'import libitem; print(libitem.open().check(\"photo.jpg\"))'"
given apt-get install -y --no-install-recommends lintian
given 'lintian --allow-root --fail-on error,warning /libitem/build/deb/*.changes'
made=$root/libitem/build/deb

new_root deb
mkdir "$root/libitem" "$root/libitem/debs"
cp "$made"/*.deb "$root/libitem/debs"
cp examples/pictures/surfing_dog.jpg "$root/libitem/photo.jpg"
awk '/^```/ { inside = $0 == "```c"; next } inside' README.md >"$root/libitem/check.c"
packages=$(for deb in "$made"/*.deb; do dpkg-deb -f "$deb" Package; done)

begin "the shell"
user apt-get install -y --no-install-recommends ./debs/*.deb
user item check --json photo.jpg
begin "Python, after it"
user "python3 -c 'import libitem; print(libitem.open().check(\"photo.jpg\"))'"
given apt-get install -y --no-install-recommends python3-torch
begin "Python with Debian's torch, either first"
user "python3 -c 'import libitem; print(libitem.open().check(\"photo.jpg\")); import torch; print(torch.ones(2))'"
user "python3 -c 'import torch, libitem; print(libitem.open().check(\"photo.jpg\"), torch.ones(2))'"
given apt-get install -y --no-install-recommends gcc libc6-dev pkg-config
begin "C, after it"
user 'cc check.c $(pkg-config --cflags --libs item) -o check'
user ./check

inside dpkg -L $packages | grep -E '/lib/.*item|/share/.*item|/include/item|/bin/item' | sort -u >"$root.files"
given apt-get purge -y $packages
left=$(while read -r file; do [ ! -e "$root$file" ] || echo "$file"; done <"$root.files")
[ -s "$root.files" ] || left="(the packages held nothing)"
if [ -n "$left" ]; then
    echo "left after purge: $left" >&2
    exit 1
fi
echo "Built, read, installed, used from three sides, purged: nothing is left."

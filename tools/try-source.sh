#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# try-source.sh - from a new root of Debian 12 and a fresh clone to an answer: `make demo`, then Go on
# what it built; in another root what `make install` calls, a program in C, and the shell. By hand, as root:
# it takes ten minutes, 6 GB below build/, and Debian's mirror.
set -eu
cd "$(dirname "$0")/.."
. tools/clean-root.sh

bare() {
    new_root "$1"
    git clone -q --no-local . "$root/libitem"
    cp examples/pictures/surfing_dog.jpg "$root/libitem/photo.jpg"
}

bare demo
begin "make demo, and Go"
user apt-get install -y make golang-go
user make demo
user 'bindings/go/go.sh run ./examples/check $PWD/photo.jpg'
begin "the shell after it"
user build/prefix/bin/item check photo.jpg

bare install
begin "C in /usr/local"
user tools/install.sh
user 'cc examples/check.c $(pkg-config --cflags --libs item) -o check'
user ./check photo.jpg
begin "the shell after it"
user item check photo.jpg

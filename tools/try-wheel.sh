#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# try-wheel.sh [WHEEL] - installs the wheel that bindings/python/wheel.sh left in build/wheel into a new
# root of Debian 12 that has python3-venv and nothing else, and checks a picture there. What the wheel
# requires is fetched here, as pip is configured, and found in the root without a network. By hand, as
# root: 3 GB below build/, and the registry that pip has.
set -eu
[ $# -gt 0 ] || set -- "$(dirname "$0")"/../build/wheel/libitem-*.whl
wheel=$(realpath -e "$1")
cd "$(dirname "$0")/.."
. tools/clean-root.sh

new_root wheel
mkdir "$root/libitem" "$root/packages"
cp "$wheel" examples/pictures/surfing_dog.jpg "$root/libitem"
given apt-get install -y --no-install-recommends python3-venv
python3 -m venv --clear "$roots/fetch"
# for the Python of the root, whichever fetches
"$roots/fetch/bin/pip" download -q --only-binary=:all: --python-version 3.11 -d "$root/packages" "$wheel"
rm "$root/packages"/libitem-*
printf '[global]\nno-index = true\nfind-links = /packages\n' >"$root/etc/pip.conf"

begin "Python with the wheel"
user python3 -m venv venv
user venv/bin/pip install ./libitem-*.whl
user 'venv/bin/python -c "import libitem; print(libitem.open().check(\"surfing_dog.jpg\"))"'
begin "and with torch beside it"
user 'venv/bin/python -c "import libitem, torch; print(libitem.open().check(\"surfing_dog.jpg\"), torch.ones(2).sum())"'

#!/bin/sh
# Installs what is missing on Debian 12: `tools/install-deps.sh demo` for building and running,
# `check` for the tests as well, `gthumb` for the extension of gThumb, `experiments` for what is tried
# on the method, `coverage` for counting what tests reach, `docs` for the API reference. Says what
# and how much first; does nothing when all is there.
set -eu

# dpkg-dev: meson asks dpkg-architecture where libraries lie, and without it takes lib64, where Debian
# looks for none.
packages="gcc g++ dpkg-dev meson ninja-build pkg-config libjpeg62-turbo-dev libpng-dev liblcms2-dev libexpat1-dev
zlib1g-dev libwebp-dev libheif-dev libjansson-dev libssl-dev libsqlite3-dev libexif-dev libexempi-dev
libtorch-dev libdnnl-dev libopenblas0-openmp"
# libc6-dbg: the leak sanitizer knows what is glibc's own by the names of functions.
# abigail-tools: abidiff compares the library with the description of its released ABI.
# mandoc reads the manual page strictly; doxygen fails where a public name is not documented.
# zsh and bash-completion complete what item takes.
# golang-go builds and tests bindings/go.
# libpython3-dev: backends written in Python are put into item-conformance.
tests="libcmocka-dev clang-14 clang-format-14 libclang-rt-14-dev libc6-dbg abigail-tools mandoc
doxygen chromium python3-venv golang-go libpython3-dev zsh bash-completion"
gthumb="gthumb gthumb-dev libgtk-3-dev libglib2.0-bin"
# The extension is used on a virtual screen: shown by Xvfb, seen by AT-SPI, photographed by ImageMagick.
screen="xvfb xauth dbus at-spi2-core python3-gi gir1.2-atspi-2.0 imagemagick"
case "${1:-}" in
demo) ;;
check) packages="$packages $tests $gthumb $screen" ;;
gthumb) packages="$packages $gthumb" ;;
experiments) packages="$packages python3-venv" ;;
coverage) packages="$packages $tests gcovr" ;;
docs) packages="doxygen" ;;
*)
    echo "usage: $0 demo|check|gthumb|experiments|coverage|docs" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian. Packages that are needed, by Debian's names:" $packages
    exit 0
fi

# No answer for a package that dpkg never saw: it is missing too.
missing=""
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=""
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Missing packages:$missing"

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo"
else
    echo "Install them as root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

export LC_ALL=C
update() {
    echo "Fetching the lists of packages (apt-get update) ..."
    $as_root apt-get -qq update
}

# "Need to get" and "After this operation" of apt's own plan; empty where a package is unknown.
plan() {
    apt-get install --assume-no --no-install-recommends $missing 2>/dev/null |
        grep -E '^(Need to get|After this operation|[0-9]+ upgraded)' || true
}
said=$(plan)
if [ -z "$said" ]; then
    update
    said=$(plan)
fi
[ -n "$said" ] || {
    echo "apt-get does not know them all; is this Debian 12?" >&2
    exit 1
}
echo "$said"

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends $missing >/dev/null
}
# Lists that are too old name files that are gone: fetch them again, once.
install || { update && install; }
echo "Installed."

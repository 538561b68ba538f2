#!/bin/sh
# Puts the extension into the distribution's gThumb and switches it on for the user who calls this.
# On Debian 12, where libitem is installed: `examples/gthumb/install.sh [PREFIX]`; PREFIX is libitem's,
# build/prefix of this repository (`make demo`) when it is not given.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
prefix=$(cd "${1:-$root/build/prefix}" && pwd)
build=$root/build/gthumb/install

"$root/tools/install-deps.sh" gthumb
pkgconfig=$(find "$prefix" -name item.pc -printf %h -quit)
rm -rf "$build"
PKG_CONFIG_PATH=$pkgconfig meson setup --buildtype=release "$build" "$here"
ninja -C "$build"

# gThumb's folder of extensions is the system's
if [ "$(id -u)" = 0 ]; then
    meson install -C "$build" --no-rebuild
else
    sudo meson install -C "$build" --no-rebuild
fi

# What a tick in Preferences > Extensions does. 'default' stands for what the distribution's gThumb
# starts with, all but the map, and only while nothing else is in the list.
list="org.gnome.gthumb.general active-extensions"
active=$(gsettings get $list)
if [ "$active" = "['default']" ]; then
    active="[$(ls "$(pkg-config --variable=extensionsdir gthumb)" |
        sed -n '/^map_view/d; /^ai_check/d; s/\(.*\)\.extension$/'"'\1'"'/p' | paste -sd,)]"
fi
case $active in
*"'ai_check'"*) ;;
*) gsettings set $list "${active%]}, 'ai_check']" || echo "Tick AI check in Preferences > Extensions." ;;
esac
echo "Installed. Start gthumb (again), select pictures, right-click: Check for AI."

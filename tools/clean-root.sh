# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/try-*.sh in the repository's folder: new roots of Debian 12 in build/roots, and
# commands in them. As root, with debootstrap; Debian's mirror is the one that apt has.

if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
    echo "usage, as root and with debootstrap: $0" >&2
    exit 2
fi
roots=$PWD/build/roots
mkdir -p "$roots"
root=""
counted=0

leave_root() {
    [ -z "$root" ] || umount "$root/proc"
    root=""
}
trap leave_root EXIT

# new_root NAME: what Debian requires and apt, nothing else. Later commands run in it.
new_root() {
    leave_root
    if [ ! -e "$roots/base.tar" ]; then
        mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' |
            awk '$2 == "bookworm" { print $1; exit }')
        rm -rf "$roots/base"
        debootstrap --variant=minbase bookworm "$roots/base" "$mirror" >"$roots/base.log"
        tar -C "$roots/base" -cf "$roots/base.part" .
        mv "$roots/base.part" "$roots/base.tar"
        rm -rf "$roots/base"
    fi
    rm -rf --one-file-system "${roots:?}/$1"
    mkdir "$roots/$1"
    tar -C "$roots/$1" -xpf "$roots/base.tar"
    mount -t proc proc "$roots/$1/proc"
    root=$roots/$1
    log=$root.log
    : >"$log"
}

# Runs a command in the root: nothing of this machine's environment goes with it.
inside() {
    chroot "$root" env -i LC_ALL=C HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# What is there before the first command of a user: not counted.
given() {
    echo "  given: $*"
    inside sh -ec "$*" >>"$log" 2>&1 || failed
}

failed() {
    tail -n 40 "$log" >&2
    exit 1
}

begin() {
    counted=0
    echo "$*:"
}

# A command of a user, counted and shown with its seconds and the end of what it says.
user() {
    counted=$((counted + 1))
    echo "  $counted. $*"
    start=$(date +%s)
    inside sh -ec "cd /libitem && $*" >"$root.out" 2>&1 || {
        cat "$root.out" >>"$log"
        failed
    }
    cat "$root.out" >>"$log"
    tail -n 4 "$root.out" | sed 's/^/       | /'
    echo "       $(($(date +%s) - start)) s"
}

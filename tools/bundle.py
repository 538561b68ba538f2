#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an application ships with libitem: files, MB, Debian packages and their licences.

Follows ldd from the installed libitem and its engine. What every Linux has (the C library, the
loader) is left out. The licence is that of `Files: *` in Debian's copyright file, where that file
has the machine-readable form: a hint where to read, no legal advice.

usage: tools/bundle.py [PREFIX | ENGINE.so] [--all]
                        default: build/prefix; --all: a line for each package, not for GPL alone
"""
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVERYWHERE = {"libc6"}  # libc, libm, libdl, libpthread and the loader
MB = 1e6


def needed(library):
    """Every shared object that the loader would take, by its real path."""
    out = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    missing = re.findall(r"(\S+) => not found", out)
    if missing:
        sys.exit(f"{library} needs {', '.join(missing)}: not found")
    return {Path(p).resolve() for p in re.findall(r"(/\S+) \(0x", out)} | {library.resolve()}


def packages_of(paths):
    """{path: Debian's package} of those that a package brought; dpkg knows them with or without
    /usr."""
    names = {str(p): p for p in paths} | {str(p).removeprefix("/usr"): p for p in paths}
    out = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True).stdout
    lines = (line.rpartition(": ") for line in out.splitlines())
    return {names[name]: owners.split(",")[0].split(":")[0] for owners, _, name in lines}


def licence_of(package):
    try:
        text = Path(f"/usr/share/doc/{package}/copyright").read_text(errors="replace")
    except OSError:
        return "?"
    stanza = re.search(r"^Files: *\*.*?(?=^\n|\Z)", text, re.M | re.S)
    licence = re.search(r"^License: *(.+)", stanza.group(0), re.M) if stanza else None
    return licence.group(1).strip() if licence else "? (free text)"


def by_package(files):
    """{package: [MB, files]}, with "" for what no package brought."""
    found = defaultdict(lambda: [0.0, 0])
    packages = packages_of(files)
    for path in files:
        package = packages.get(path, "")
        if package not in EVERYWHERE:
            found[package][0] += path.stat().st_size / MB
            found[package][1] += 1
    return found


def is_gpl(licence):
    """The GPL, and no other licence to choose instead."""
    return all(re.search(r"(?<![LA-Z])A?GPL", choice) for choice in re.split(r"\bor\b", licence))


def show(title, files, every):
    packages = by_package(files)
    size = sum(mb for mb, _ in packages.values())
    count = sum(n for _, n in packages.values())
    print(f"{title}: {size:.1f} MB, {count} files of {len(packages)} packages")
    for package, (mb, n) in sorted(packages.items(), key=lambda item: -item[1][0]):
        licence = licence_of(package) if package else "the file's own"
        if every or is_gpl(licence):
            print(f"  {mb:7.1f} MB  {n:3} files  {package or 'no package':<30} {licence}")


def main(args):
    every = "--all" in args
    paths = [Path(a) for a in args if a != "--all"] or [ROOT / "build" / "prefix"]
    if paths[0].is_file():
        show(f"engine {paths[0].name} with its libraries", needed(paths[0]), every)
        return 0
    library = next(paths[0].rglob("libitem.so"), None)
    if not library:
        sys.exit(f"{paths[0]}: no libitem.so; `make demo` installs one into build/prefix")
    own = needed(library)
    show("libitem with its libraries", own, every)
    pack = [p for p in (paths[0] / "share/item/packs").rglob("*") if p.is_file()]
    print(f"packs: {sum(p.stat().st_size for p in pack) / MB:.1f} MB, {len(pack)} files")
    engine = sorted(paths[0].rglob("libitem-torch*.so"))
    if engine:
        show("the engine on top of it", set().union(*map(needed, engine)) - own, every)
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 3 or "--help" in sys.argv:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))

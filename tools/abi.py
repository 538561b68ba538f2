#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares libitem.so with the stored description of its ABI, or stores the description anew.

usage: tools/abi.py check|store BUILD-FOLDER     (a build by gcc with -g: build/notorch)

A change that a program compiled earlier could notice fails, unless the soname is a new one.
docs/abi.md says what may change when, and when the description is stored. Two files in tests/abi
hold it: what abidw tells of the library (functions, and the structs of the public headers), and
the values of the headers' constants, which no library shows.
"""
import lzma
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "tests" / "abi"
DESCRIBE = ["abidw", "--exported-interfaces-only", "--drop-private-types", "--drop-undefined-syms",
            "--no-show-locs", "--no-comp-dir-path", "--no-corpus-path", "--no-elf-needed",
            "--no-parameter-names", "--no-write-default-sizes", "--type-id-style", "hash"]
# Structs outside of the public headers become mere declarations: handles. The label is the one
# under which abidw does that for --headers-dir, which goes by file names without folders and so
# takes lib/core/result.h for item/result.h.
PRIVATE = """[suppress_type]
label = Artificial private types suppression specification
source_location_not_regexp = include/item/
drop = yes
"""
CLASS = re.compile(r"<class-decl name='(\w+)' size-in-bits='(\d+)'.*?</class-decl>", re.S)
MEMBER = re.compile(r" *<data-member [^>]*layout-offset-in-bits='(\d+)'>\s*<var-decl name='(\w+)'"
                    r".*?</data-member>\n", re.S)
NO_CONSTANT = re.compile(r"ITEM_(VERSION_\w+|API|\w+_INIT)$")


class Bad(Exception):
    """A description that would not guard what it should."""


def run(*command, text=None):
    return subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True)


def public_headers(include):
    return sorted(p.relative_to(include) for p in (include / "item").rglob("*.h"))


def constants(include):
    """Values of the public macros, as written; without versions, initialisers and guards."""
    text = "".join(f"#include <{h}>\n" for h in public_headers(include))
    done = run("gcc", "-x", "c", "-E", "-dM", "-I", include, "-", text=text)
    if done.returncode:
        raise Bad(done.stderr)
    found = re.findall(r"^#define (ITEM_\w+) (.+)$", done.stdout, re.M)
    return {name: value for name, value in found if not NO_CONSTANT.match(name)}


def require_complete(xml, include):
    """Every public struct is described, and nothing that is private."""
    if xml.count("<elf-symbol ") != xml.count("<function-decl "):
        raise Bad("functions without a description: is the library built with -g?")
    text = "".join((include / h).read_text() for h in public_headers(include))
    public = set(re.findall(r"\bstruct (\w+) \{", text))
    described = set(re.findall(r"<class-decl name='(\w+)' size-in-bits", xml))
    if public != described:
        raise Bad("public structs that no function leads to, or private ones that one does: "
                  + ", ".join(sorted(public ^ described)))


def describe(library, include):
    """What abidw tells of a library, without any path of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "private.abignore")
        rules.write_text(PRIVATE)
        done = run(*DESCRIBE, "--suppressions", rules, library)
    if done.returncode:
        raise Bad(done.stderr)
    xml = re.sub(r"(<abi-instr [^>]*?) path='([^']*)'",
                 lambda m: f"{m[1]} path='{'/'.join(Path(m[2]).parts[-2:])}'", done.stdout)
    require_complete(xml, include)
    return xml


def store(library, include, stored):
    xml = describe(library, include)
    (stored / "libitem.abi.xz").write_bytes(lzma.compress(xml.encode(), preset=9))
    lines = [f"{name} {value}\n" for name, value in sorted(constants(include).items())]
    (stored / "constants.txt").write_text("".join(lines))


def soname(xml):
    return re.search(r" soname='([^']*)'", xml)[1]


def symbols(xml):
    """Exported names with their nodes of the version script."""
    return set(re.findall(r"<elf-symbol name='(\w+)' version='(\w+)'", xml))


def as_programs_know_it(after, before):
    """The newer description without the members that structs got at their ends: struct_size makes
    them harmless. (abidiff's own rule for that, has_data_member_inserted_at = end, in version 2.2
    also forgives members of another type.) A member in what was padding stays: the size does not
    tell who has it."""
    earlier = {m[1]: (int(m[2]), {n[2] for n in MEMBER.finditer(m[0])})
               for m in CLASS.finditer(before)}

    def cut(match):
        if match[1] not in earlier:
            return match[0]
        size, known = earlier[match[1]]
        beyond = [m for m in MEMBER.finditer(match[0]) if int(m[1]) >= size]
        if not beyond or any(m[2] in known for m in beyond):
            return match[0]
        text = match[0]
        for member in beyond:
            text = text.replace(member[0], "")
        return text.replace(f"size-in-bits='{match[2]}'", f"size-in-bits='{size}'", 1)
    return CLASS.sub(cut, after)


def abidiff(before, after):
    """The report of every change but additions; empty when there is none."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, "before.xml"), Path(folder, "after.xml")]
        for path, text in zip(paths, (before, as_programs_know_it(after, before))):
            path.write_text(text)
        done = run("abidiff", "--no-added-syms", "--harmless", *paths)
    return done.stdout + done.stderr if done.returncode else ""


def changes(library, include, stored):
    """Lines that tell each change which breaks programs; none under a new soname."""
    before = lzma.decompress((stored / "libitem.abi.xz").read_bytes()).decode()
    after = describe(library, include)
    if soname(after) != soname(before):
        print(f"{soname(after)} is no {soname(before)}: it may differ")
        return []
    said = abidiff(before, after).splitlines()
    old, new = symbols(before), symbols(after)
    released = {node for _, node in old}
    said += [f"{name} is added to {node}, which is released: a new node of lib/item.map takes it"
             for name, node in sorted(new - old) if node in released]
    now = constants(include)
    for line in (stored / "constants.txt").read_text().splitlines():
        name, value = line.split(" ", 1)
        if now.get(name) != value:
            said.append(f"{name} was {value}, is {now.get(name, 'gone')}")
    return said


def main(what, build):
    if not shutil.which("abidiff"):
        print("abidiff is not installed (Debian: abigail-tools)")
        return 77
    library, include = build / "lib" / "libitem.so", ROOT / "include"
    if what == "store":
        store(library, include, STORED)
        return 0
    said = changes(library, include, STORED)
    hint = "docs/abi.md says what may change, and when to store the description anew"
    print("\n".join(said + [hint] if said else ["no change that a program could notice"]))
    return len(said) > 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("check", "store"):
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1], Path(sys.argv[2])))
    except Bad as reason:
        sys.exit(str(reason))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual page says what `item --help` and the help of every command say: each command, each
option, and whether it takes a value; nothing else. It is sound mdoc, where mandoc is installed.

usage: test_manual.py ITEM PAGE ITEM-CONFORMANCE PAGE
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path


def told(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          check=True).stdout


def helped(item):
    """{command: {(option, takes a value)}}, as the program tells."""
    commands = re.findall(r"^  (\w+) +\S", told(item, "--help"), re.M)
    option = re.compile(r"^  (-\S+)( [A-Z]\S*)?  +\S", re.M)
    return {c: {(name, bool(value)) for name, value in option.findall(told(item, c, "--help"))}
            for c in commands}


def flags(text):
    """Options of mdoc lines: `.Op Fl -pack Ar folder`, `.It Fl -out Ar head , Fl o Ar head`."""
    return {("-" + name, bool(value)) for name, value in
            re.findall(r"\bFl (-?[\w][\w-]*)( Ar \S+)?", text)}


def described(page):
    """{command: options} of COMMANDS, and the options that OPTIONS describes."""
    commands = page.split(".Sh COMMANDS", 1)[1].split(".Sh OPTIONS", 1)[0]
    options = page.split(".Sh OPTIONS", 1)[1].split(".Sh ", 1)[0]
    parts = re.split(r"^\.Ss (\w+)\n", commands, flags=re.M)[1:]
    usage = {name: "\n".join(re.findall(r"^\.Op Fl .*|^\.Fl \S+ Ar .*", text, re.M))
             for name, text in zip(parts[::2], parts[1::2])}
    listed = "\n".join(re.findall(r"^\.It (Fl .*)", options, re.M))
    return {name: flags(text) for name, text in usage.items()}, flags(listed)


def differences(helps, page):
    """What one of the two says alone; short names are told once, in the page's OPTIONS."""
    pages, listed = described(page)
    said = [f"{name}: only one of page and program knows it" for name in set(helps) ^ set(pages)]
    for name in sorted(set(helps) & set(pages)):
        takes_value = {n for n, value in helps[name] if value}
        only = {n for n, _ in helps[name]} ^ {n for n, _ in pages[name]}
        only |= {n for n, value in pages[name] if value != (n in takes_value)}
        said += [f"item {name}: page and program differ in {n}" for n in sorted(only)]
    known = set().union(*helps.values()) | {("-h", False)}
    said += [f"OPTIONS and the programs' help differ in {n}" for n, _ in sorted(known ^ listed)]
    return said


def conformance_differences(program, page):
    """The other program has one list of options."""
    helped = re.findall(r"^  (--\S+)( [A-Z]\S*)?  ", told(program, "--help"), re.M)
    wanted = {(name, bool(value)) for name, value in helped}
    found = flags("\n".join(re.findall(r"^\.It (Fl .*)", page, re.M)))
    said = [f"item-conformance: page and program differ in {n}" for n, _ in sorted(wanted ^ found)]
    return said if len(wanted) > 3 else [*said, "item-conformance: its help looks different"]


def can_fail(helps, page):
    """The comparison sees what goes missing on either side."""
    without = {**helps, "check": helps["check"] - {("--prior", True)}}
    return all([
        differences(without, page),
        differences(helps, page.replace(".Op Fl -prior Ar share\n", "", 1)),
        differences(helps, page.replace(".It Fl -prior Ar share\n", "", 1)),
        differences(helps, page.replace(".Ss doctor\n", ".Ss nurse\n", 1)),
        differences(helps, page.replace(".Op Fl -json\n", ".Op Fl -json Ar file\n", 1)),
    ])


def lint(path):
    """What mandoc has to say; an Xr to a page that is not installed here is no fault."""
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path], capture_output=True,
                          text=True)
    return [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]


def main(item, path, conformance, other_path):
    page = path.read_text()
    helps = helped(item)
    said = differences(helps, page) + conformance_differences(conformance, other_path.read_text())
    if not can_fail(helps, page):
        said.append("something that is missing would not be seen")
    if shutil.which("mandoc"):
        said += lint(path) + lint(other_path)
    else:
        print("mandoc is not installed: the page's form is not checked")
    print("\n".join([*said, f"{len(helps)} commands, {sum(map(len, helps.values()))} options, "
                     f"{len(said)} complaints"]))
    return len(said) > 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main(*map(Path, sys.argv[1:])))

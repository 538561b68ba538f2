#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Headers, version script, library and docs/api.md must list the same names.

And each function that takes a public struct stands in the test of older and newer structs.

usage: tools/check_symbols.py BUILD-FOLDER
"""
import re
import subprocess
import sys
from pathlib import Path

import api_list
from api_list import ROOT

ITEM_H = ["base.h", "context.h", "picture.h", "result.h", "stages.h"]
# House rule: 60 and about 90 with train.h and pack.h; index.h and provenance.h came with 0.2.
MOST_ITEM_H, MOST = 60, 110  # functions, without sys/


def map_names():
    """Names of lib/item.map, one by one: a pattern would export what nobody meant to."""
    text = re.sub(r"/\*.*?\*/|#.*", "", (ROOT / "lib" / "item.map").read_text(), flags=re.S)
    nodes = re.findall(r"global:(.*?)(?:local:|\})", text, re.S)
    return {name for inside in nodes for name in re.findall(r"[^\s;]+", inside)}


def exported(library):
    """Defined names of the dynamic symbol table; without the version nodes themselves."""
    out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                         check=True).stdout
    fields = [line.split() for line in out.splitlines()]
    return {f[-1].split("@")[0] for f in fields if f[-2] != "A"}


def compare(what, found, wanted):
    for name in sorted(found - wanted):
        print(f"{what}: {name} is too many")
    for name in sorted(wanted - found):
        print(f"{what}: {name} is missing")
    return found == wanted


def counts(of):
    item_h = sum(len(of.get(h, ())) for h in ITEM_H)
    beside = sum(len(names) for h, names in of.items() if not h.startswith("sys/"))
    print(f"{item_h} functions in item.h (at most {MOST_ITEM_H}), {beside} with dataset.h, "
          f"train.h, pack.h and torch.h (at most {MOST}), {sum(map(len, of.values()))} with sys/")
    return item_h <= MOST_ITEM_H and beside <= MOST


def tested_with_other_sizes():
    """item_error has a test of its own: nearly every function takes one."""
    text = "".join((api_list.INCLUDE / h).read_text() for h in api_list.headers())
    structs = set(re.findall(r"typedef struct (item_\w+) \{", text))
    tests = {name: (ROOT / "tests" / "api" / name).read_text()
             for name in ("test_errors.c", "test_structs.c")}
    good = True
    for name, takes in re.findall(r"^ITEM_API\b[^;(]*\b(item_\w+)\(([^;]*)\);", text, re.M):
        taken = structs & set(re.findall(r"\w+", takes))
        wanted = {"test_errors.c" if s == "item_error" else "test_structs.c" for s in taken}
        for test in sorted(wanted):
            if not re.search(rf"\b{name}\(", tests[test]):
                print(f"tests/api/{test}: {name} is missing")
                good = False
    return good


def main(folder):
    of = {h: [name for name, _ in api_list.functions(h)] for h in api_list.headers()}
    torch = set(of.pop("torch.h", ()))
    names = {name for listed in of.values() for name in listed}
    good = compare("lib/item.map", map_names(), names)
    good &= compare("libitem.so", exported(folder / "lib" / "libitem.so"), names)
    engine = next(folder.rglob("libitem-torch.so"), None)
    if engine:
        good &= compare("libitem-torch.so", exported(engine), torch | {"item_engine_entry"})
    page = api_list.PAGE.read_text() if api_list.PAGE.exists() else ""
    if page != api_list.page():
        print("docs/api.md is not what the headers say: run tools/api_list.py")
        good = False
    good &= tested_with_other_sizes()
    of["torch.h"] = list(torch)
    return counts(of) and good


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(not main(Path(sys.argv[1])))

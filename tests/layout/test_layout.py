#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layout dump for bindings is whole and right: compared with the library's symbols, with the
preprocessor's constants and with the constants that were released. Nothing here reads the headers
as tools/layout.py does.

usage: test_layout.py LAYOUT.json LIBITEM.so
"""
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import abi
import api_list
from check_symbols import exported

def number(text):
    """Value of a macro as the preprocessor shows it."""
    text = text.strip()
    return text.strip('"') if text.startswith('"') else int(text.rstrip("u"))


def holes(name, struct):
    """No public struct has padding, so a member that is missing leaves a hole."""
    end = 0
    for member, (offset, size, _) in struct["members"].items():
        if offset != end:
            yield f"{name}: {end} bytes end before {member}, which is at {offset}"
        end = offset + size
    if end != struct["size"]:
        yield f"{name}: its members end at {end} of {struct['size']} bytes"


def known(library):
    """What the dump must say, from elsewhere."""
    headers = "".join(p.read_text() for p in api_list.INCLUDE.rglob("*.h"))
    released = (line.split(" ", 1) for line in (abi.STORED / "constants.txt").open())
    macros = abi.constants(api_list.INCLUDE.parent)
    return {
        "structs": set(re.findall(r"\bstruct (\w+) \{", headers)),
        "functions": exported(library) | {"item_torch_engine"},  # the engine has that one
        "defaults": {name.lower() for name in re.findall(r"define (ITEM_\w+)_INIT\b", headers)},
        "constants": {n: number(v) for n, v in (*macros.items(), *released)},
    }


def wrong(dump, wanted):
    """Lines: what the dump lacks or says otherwise."""
    values = {n: v for n, v in dump["constants"].items() if not n.startswith("ITEM_VERSION_")}
    said = [f"{name} is {values[name]}, not {value}" for name, value in wanted["constants"].items()
            if values.get(name, value) != value]
    for what in wanted:
        have = values if what == "constants" else dump[what]
        said += [f"{what}: {name} is in one of both alone" for name in
                 sorted(set(have) ^ set(wanted[what]))]
    for name, struct in dump["structs"].items():
        said += holes(name, struct)
    said += [f"{name}: its start value has {len(text) // 2} bytes"
             for name, text in dump["defaults"].items()
             if name in dump["structs"] and len(text) != 2 * dump["structs"][name]["size"]]
    return said


def changed(inside, value, *keys):
    """The dump with another value at one place; None: without it."""
    if len(keys) > 1:
        return {**inside, keys[0]: changed(inside[keys[0]], value, *keys[1:])}
    rest = {name: v for name, v in inside.items() if name != keys[0]}
    return rest if value is None else {**rest, keys[0]: value}


def defects(dump, wanted):
    """Dumps with one thing missing or wrong each."""
    for name, struct in dump["structs"].items():
        for member in struct["members"]:
            yield f"{name}.{member}", changed(dump, None, "structs", name, "members", member)
    for kind, names in wanted.items():
        for name in names:
            yield name, changed(dump, None, kind, name)
    for name in wanted["constants"]:
        yield f"{name} 4711", changed(dump, 4711, "constants", name)


def main(layout, library):
    dump, wanted = json.loads(Path(layout).read_text()), known(library)
    said = wrong(dump, wanted)
    said += [f"nobody misses {name}" for name, bad in defects(dump, wanted) if not wrong(bad, wanted)]
    print("\n".join(said) or ", ".join(f"{len(dump[kind])} {kind}" for kind in wanted))
    return len(said) > 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

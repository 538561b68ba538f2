#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists that stand in the code and in a description must be the same: the options of
item_config_set() and the keys of an
answer's JSON."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read(name):
    return (ROOT / name).read_text()


def options():
    """Names in the table of config.c; names in the list above item_config_set()."""
    code = read("lib/core/config.c")
    table = code.split("static const option options[] = {", 1)[1].split("};", 1)[0]
    block = read("include/item/context.h").split("Sets an option by name", 1)[1]
    block = block.split("@param", 1)[0]
    items = re.findall(r"^ \* - (.*?):", block, re.M)
    return set(re.findall(r'\{"(\w+)"', table)), set(re.findall(r"`(\w+)`", " ".join(items)))


def answer_keys():
    """Texts of json.c that are keys; names in code spans of docs/json.md."""
    code = re.sub(r"/\*.*?\*/|#include[^\n]*", "", read("lib/core/json.c"), flags=re.S)
    keys = {k for k in re.findall(r'"([a-z]\w*)"', code)}
    page = read("docs/json.md")
    return keys, {k for k in keys if re.search(rf"`{k}`", page)}


def page_keys():
    """First column of the first table of docs/json.md; texts of json.c."""
    table = read("docs/json.md").split("## A picture that was answered", 1)[1].split("\n\n", 1)[0]
    first = re.findall(r"^\| (.*?) \|", table, re.M)
    keys = set(re.findall(r"`(\w+)`", " ".join(first)))
    code = read("lib/core/json.c")
    return keys, {k for k in keys if f'"{k}"' in code}


def differences(pairs):
    for what, (one, other) in pairs.items():
        for name in sorted(one ^ other):
            yield f"{what}: {name} stands in one place only"
        if len(one) < 10:
            yield f"{what}: {len(one)} names were found: the sources look different"


def main():
    pairs = {"options of item_config_set()": options(), "keys of answers": answer_keys(),
             "keys of docs/json.md": page_keys()}
    said = list(differences(pairs))
    for what, (one, other) in pairs.items():
        if not list(differences({what: (one, other - set(sorted(one)[:1]))})):
            said.append(f"{what}: a name that is missing would not be seen")
    print("\n".join([*said, f"{sum(len(one) for one, _ in pairs.values())} names, "
                     f"{len(said)} complaints"]))
    return len(said) > 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/api.md: every public name, functions with their summary, from the headers."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "item"
PAGE = ROOT / "docs" / "api.md"
# in the order in which a reader wants them
ORDER = ["base.h", "context.h", "picture.h", "result.h", "stages.h", "provenance.h", "dataset.h", "train.h",
         "pack.h", "torch.h", "sys/backend.h", "sys/module.h", "sys/engine.h", "sys/services.h",
         "version.h", "item.h"]
STRUCT = re.compile(r"^typedef struct (item_\w+) \{", re.M)
HANDLE = re.compile(r"^typedef struct (item_\w+) item_\w+;", re.M)
TYPE = re.compile(r"^typedef [^;{]*?\(\*(item_\w+)\)|^typedef \w+ (item_\w+);|"
                  r"^typedef [^;{(]*?(item_\w+)\(", re.M)
CONSTANT = re.compile(r"^#define (ITEM_\w+) +(?!_H$)\S", re.M)
FUNCTION = re.compile(r"(?:/\*\*?((?:(?!\*/).)*)\*/\s*)?^ITEM_API\b([^;{]*?)\b(item_\w+)\s*\(", re.M | re.S)


def headers():
    """Public headers, those of ORDER first."""
    found = [str(p.relative_to(INCLUDE)) for p in INCLUDE.rglob("*.h")]
    return sorted(found, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))


def functions(header):
    """(name, doc block or "") of each function of a header, in its order."""
    text = (INCLUDE / header).read_text()
    return [(m.group(3), m.group(1) or "") for m in FUNCTION.finditer(text)]


def clean(block):
    lines = [re.sub(r"^\s*\*? ?", "", line).strip() for line in block.splitlines()]
    return " ".join(line for line in lines if line)


def summary(block):
    """The first sentence of a doc block."""
    text = clean(block).split("@")[0].strip()
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def purpose(header):
    """The comment that says what a header is for: its first sentence."""
    comments = re.findall(r"/\*(.*?)\*/", (INCLUDE / header).read_text(), re.S)
    return summary(comments[1].replace("@file", "")) if len(comments) > 1 else ""


def table(listed):
    rows = [f"| `{name}` | {summary(block).replace('|', chr(92) + '|')} |" for name, block in listed]
    return ["| function | what it does |", "|---|---|", *rows, ""] if rows else []


def other_names(header):
    """What else a header has: a line for each kind."""
    text = (INCLUDE / header).read_text()
    kinds = [("Handles", HANDLE), ("Structs and tables", STRUCT), ("Types", TYPE),
             ("Constants and macros", CONSTANT)]
    out = []
    for kind, pattern in kinds:
        names = dict.fromkeys("".join(m.groups("")) for m in pattern.finditer(text))
        if names:
            out += [f"{kind}: " + ", ".join(f"`{name}`" for name in names) + ".", ""]
    return out


def page():
    out = ["# Public names", "",
           "Every public function with the first sentence of its description, and the names of",
           "everything else, by header. This page is written by `tools/api_list.py`. The whole",
           "reference, with parameters, return codes, owners, thread rules and the members of",
           "structs, is made of the headers: `make docs` writes it to `build/docs/html`, and",
           "manual pages beside it; `-Ddocs=true` installs both (`man item_check_file`).", ""]
    for header in headers():
        names = other_names(header)
        listed = functions(header)
        if listed or names:
            out += [f"## item/{header}", "", purpose(header), "", *table(listed), *names]
    return "\n".join(out)


if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        print(page(), end="")
    else:
        PAGE.write_text(page())

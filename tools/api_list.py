#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/api.md: every public function with its summary, from the headers' doc blocks."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "item"
PAGE = ROOT / "docs" / "api.md"
# in the order in which a reader wants them
ORDER = ["base.h", "context.h", "picture.h", "result.h", "stages.h", "train.h", "pack.h",
         "torch.h", "sys/backend.h", "sys/engine.h", "sys/services.h", "version.h", "item.h"]
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
    return summary(comments[1]) if len(comments) > 1 else ""


def page():
    out = ["# Functions", "",
           "Every public function, by header, with the first sentence of its description; the",
           "headers hold the rest: parameters, return codes, owner, threads. This page is written",
           "by `tools/api_list.py`.", ""]
    for header in headers():
        listed = functions(header)
        if not listed:
            continue
        out += [f"## item/{header}", "", purpose(header), "", "| function | what it does |",
                "|---|---|"]
        for name, block in listed:
            out.append(f"| `{name}` | {summary(block).replace('|', chr(92) + '|')} |")
        out.append("")
    return "\n".join(out)


if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        print(page(), end="")
    else:
        PAGE.write_text(page())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/check_docs.py on a tree of one page and one source: it sees each name that is gone, and
the tour fails when a function on it gets another name."""
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_docs

SOURCE = """/* what an item is */
#define ITEM_E_IO 3
static int helper(int a,
                  int b)
{
    return item_called_only(a) + b;
}
int item_open(void)
{
    return helper(ITEM_E_IO, 1);
}
"""
# a page, and what is said of it: None for nothing
CASES = [
    ("`lib/a.c: item_open()` and `lib/a.c: helper()`; `item_open()`, `ITEM_E_IO`, `ITEM_E_...`", None),
    ("[here](page.md#two-words), [there](../lib/a.c), [out](https://example.org)\n\n## Two words", None),
    ("```c\nitem_of_the_reader();\n```", None),
    ("`lib/b.c`", "no file lib/b.c"),
    ("`lib/b.c: item_open()`", "no file lib/b.c"),
    ("`lib/a.c: item_close()`", "defines no item_close"),
    ("`lib/a.c: item_called_only()`", "defines no item_called_only"),
    ("`item_close()`", "nothing is called item_close"),
    ("`ITEM_E_LATE`", "nothing is called ITEM_E_LATE"),
    ("[here](gone.md)", "no file gone.md"),
    ("[here](page.md#three)", "no heading page.md#three"),
]


def said_of(page):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "lib").mkdir()
        (root / "docs").mkdir()
        (root / "lib" / "a.c").write_text(SOURCE)
        (root / "docs" / "page.md").write_text(page + "\n")
        return "\n".join(check_docs.complaints(root)[1])


def silence_is_heard():
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "a.c").write_text("#include <stdio.h>\n/* late */\n")
        (Path(name) / "b.py").write_text('#!/usr/bin/env python3\n"""Says."""\n')
        return check_docs.complaints(Path(name))[1] == ["a.c: does not begin by saying what it is for"]


def tour_is_watched():
    """The real tree, with one function of the tour under another name."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("docs", "lib", "cli", "include", "tools"):
            shutil.copytree(check_docs.ROOT / folder, root / folder)
        path = root / "lib" / "core" / "check.c"
        path.write_text(path.read_text().replace("check_group(", "check_some_more("))
        return any(line.startswith("docs/tour.md: lib/core/check.c defines no check_group")
                   for line in check_docs.complaints(root)[1])


def main():
    bad = 0
    for page, word in CASES:
        said = said_of(page)
        if bool(said) != bool(word) or (word and word not in said):
            bad += 1
            print(f"{page!r}: expected {word or 'nothing'}, it says:\n{said}")
    if not tour_is_watched():
        bad += 1
        print("docs/tour.md may name a function that is gone")
    if not silence_is_heard():
        bad += 1
        print("a file that does not say what it is for passes")
    print(f"{len(CASES) + 2} pages, {bad} judged wrongly")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

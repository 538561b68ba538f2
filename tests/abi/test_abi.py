#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/abi.py on a tiny library that is built again with one thing changed: what breaks programs
is told, what the policy allows is not."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import abi

SOURCES = {
    "include/item/tiny.h": """#include <stdint.h>
#define ITEM_FIRST 1
#define ITEM_SECOND 2
typedef struct item_handle item_handle;
typedef struct item_facts {
    uint32_t struct_size;
    uint32_t count;
    double share;
    char name[4];
} item_facts;
typedef struct item_table {
    uint32_t struct_size;
    uint32_t version;
    int32_t (*call)(void *self, uint32_t n);
} item_table;
int32_t item_facts_get(const item_handle *handle, item_facts *facts);
int32_t item_table_set(item_handle *handle, const item_table *table);
void item_handle_free(item_handle *handle);
""",
    # a file with the name of a public header, and a private struct in it
    "core/tiny.h": """#include <item/tiny.h>
struct item_handle {
    int32_t secret;
};
""",
    "tiny.c": """#include "core/tiny.h"
int32_t item_facts_get(const item_handle *handle, item_facts *facts)
{
    return handle->secret + (int32_t)facts->count;
}
int32_t item_table_set(item_handle *handle, const item_table *table)
{
    return handle->secret + (int32_t)table->version;
}
void item_handle_free(item_handle *handle)
{
    handle->secret = 0;
}
""",
    "tiny.map": """ITEM_1_0 {
  global: item_facts_get; item_table_set; item_handle_free;
  local: *;
};
""",
}
FREE = "void item_handle_free(item_handle *handle)"
MORE = "int32_t item_more(void)"
SET = "int32_t item_table_set(item_handle *handle, const item_table *table)"
# what changes, by text that is replaced wherever it stands; and a word of the report, or None
CASES = [
    ("nothing", {}, None),
    ("a private struct", {"int32_t secret;": "int32_t secret, more[8];"}, None),
    ("a member at the end", {"name[4];": "name[4]; uint64_t more;"}, None),
    ("a member of a table at the end", {"uint32_t n);": "uint32_t n); void (*close)(void *);"},
     None),
    ("a constant more", {"#define ITEM_FIRST 1": "#define ITEM_FIRST 1\n#define ITEM_THIRD 3"},
     None),
    ("a function in a new node",
     {FREE + ";": f"{FREE}; {MORE};", FREE + "\n": MORE + "\n{ return 1; }\n" + FREE + "\n",
      "*;\n};\n": "*;\n};\nITEM_1_1 { global: item_more; } ITEM_1_0;\n"}, None),
    ("a function in a released node",
     {FREE + ";": f"{FREE}; {MORE};", FREE + "\n": MORE + "\n{ return 1; }\n" + FREE + "\n",
      " item_handle_free;\n": " item_handle_free; item_more;\n"}, "item_more is added to ITEM_1_0"),
    ("a function is gone", {" item_handle_free;\n": "\n"}, "item_handle_free"),
    ("a function in another node",
     {" item_handle_free;\n": "\n",
      "*;\n};\n": "*;\n};\nITEM_1_1 { global: item_handle_free; };\n"},
     "item_handle_free"),
    ("a parameter more", {SET: SET[:-1] + ", int32_t n)"}, "item_table_set"),
    ("a parameter of another type", {"item_facts_get(const item_handle *handle,":
                                     "item_facts_get(const item_table *handle,",
                                     "handle->secret + (int32_t)facts": "(int32_t)facts"},
     "item_facts_get"),
    ("another result", {FREE + ";": FREE.replace("void ", "double ") + ";",
                        FREE + "\n": FREE.replace("void ", "double ") + "\n",
                        "handle->secret = 0;": "return handle->secret;"}, "item_handle_free"),
    ("a member between", {"double share;": "uint64_t more; double share;"}, "uint64_t more"),
    ("a member in the padding", {"name[4];": "name[4]; uint32_t more;"}, "more"),
    ("a member of another type and equal size", {"double share;": "uint64_t share;"}, "share"),
    ("a longer member", {"uint32_t count;": "uint64_t count;"}, "count"),
    ("a longer member at the end", {"char name[4];": "char name[16];"}, "name"),
    ("members change places", {"uint32_t count;\n    double share;":
                               "double share;\n    uint32_t count;"}, "count"),
    ("a member is gone", {"    double share;\n": ""}, "share"),
    ("a member of another name", {"uint32_t version;": "uint32_t edition;",
                                  "table->version": "table->edition"}, "version"),
    ("a member at the end and one of another type",
     {"double share;": "uint64_t share;", "name[4];": "name[4]; uint64_t more;"}, "share"),
    ("a member at the end and one between",
     {"double share;": "uint64_t less; double share;", "name[4];": "name[4]; uint64_t more;"},
     "less"),
    ("a table's function takes more", {"uint32_t n);": "uint32_t n, void *more);"}, "item_table"),
    ("a constant of another value", {"ITEM_SECOND 2": "ITEM_SECOND 3"}, "ITEM_SECOND was 2, is 3"),
    ("a constant is gone", {"#define ITEM_SECOND 2\n": ""}, "ITEM_SECOND was 2, is gone"),
]


def build(folder, changed, soname="libtiny.so.1"):
    for name, text in SOURCES.items():
        for before, after in changed.items():
            text = text.replace(before, after)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for before in changed:
        assert any(before in text for text in SOURCES.values()), f"nothing has {before!r}"
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-Iinclude", "-Wl,--version-script,tiny.map",
                    f"-Wl,-soname,{soname}", "tiny.c", "-o", "libtiny.so"], cwd=folder, check=True)
    return folder / "libtiny.so", folder / "include", folder


def told(folder, *how):
    """What the check says of a build, against the description in `folder`."""
    return "\n".join(abi.changes(*build(folder, *how)))


def main():
    if not shutil.which("abidiff"):
        print("abidiff is not installed (Debian: abigail-tools)")
        return 77
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        abi.store(*build(folder, {}))
        for what, changed, word in CASES:
            said = told(folder, changed)
            if bool(said) != bool(word) or (word and word not in said):
                bad += 1
                print(f"{what}: expected {word or 'nothing'}, the check says:\n{said}")
        if told(folder, {" item_handle_free;\n": "\n"}, "libtiny.so.2"):
            bad += 1
            print("a new soname does not allow a change")
    print(f"{len(CASES) + 1} changes, {bad} judged wrongly")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

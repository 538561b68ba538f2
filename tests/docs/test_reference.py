#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/reference.py on the public headers with one description taken away: each is missed."""
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import reference

# header, text, what stands there instead, a word of the complaint
CASES = [
    ("base.h", "/** A flag that ends running calls from any thread. */", "", "item_cancel"),
    ("base.h", "/**< the system refused: open, read, write           */", "", "ITEM_E_IO"),
    ("base.h", "/**< errno at that moment, or 0 */", "", "system"),
    ("base.h", " * @param out  receives the handle; release with item_cancel_unref()\n", "", "out"),
    ("base.h", " * @param status  any value\n", " * @param state  any value\n", "state"),
    ("base.h", " * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MEMORY\n", "", "item_cancel_new"),
    ("base.h", " * Owner: caller.  Threads: any.  Since: 0.1\n */\nITEM_API item_status item_cancel_new",
     " * Threads: any.  Since: 0.1\n */\nITEM_API item_status item_cancel_new", "Owner"),
    ("base.h", "  Since: 0.1\n */\nITEM_API const char *item_version",
     "\n */\nITEM_API const char *item_version", "Since"),
    ("sys/backend.h", "/** A captioner: says in a sentence what a picture shows. */", "",
     "item_captioner_ops"),
]


def main():
    if not shutil.which("doxygen"):
        print("doxygen is not installed")
        return 77
    bad = 0
    for header, before, after, word in CASES:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            shutil.copytree(reference.ROOT / "include", root / "include")
            path = root / "include" / "item" / header
            text = path.read_text()
            assert before in text, f"{header} has no {before!r}"
            path.write_text(text.replace(before, after, 1))
            said = "\n".join(reference.house_rules(root) + reference.doxygen(root / "out", root))
            if word not in said:
                bad += 1
                print(f"{header} without {before!r}: expected {word}, it says:\n{said}")
    print(f"{len(CASES)} descriptions taken away, {bad} not missed")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

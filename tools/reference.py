#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the API reference out of the headers' doc blocks: OUT/html and OUT/man3.

What is not documented fails: a symbol, a struct's member, a parameter, what a function returns,
its thread rule and release.

usage: tools/reference.py [OUT]    (default: build/docs; --check: builds it, and keeps nothing)
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import api_list
from api_list import ROOT


def doxygen(out, root=ROOT):
    """What doxygen warns of, line by line; none when all is documented."""
    version = subprocess.run([ROOT / "tools" / "version.sh"], cwd=ROOT, capture_output=True,
                             text=True, check=True).stdout.strip()
    # what an earlier release named would stay
    for old in ("html", "man3"):
        shutil.rmtree(out / old, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["doxygen", ROOT / "tools" / "Doxyfile"], cwd=root, text=True,
                          capture_output=True,
                          env={**os.environ, "DOCS_OUT": str(out), "DOCS_VERSION": version})
    if done.returncode and not done.stderr:
        return [f"doxygen ended with {done.returncode}"]
    return done.stderr.splitlines()


def rules(name, block, takes):
    """What the house rule asks of a function's block, beside what doxygen sees."""
    wanted = ["Threads", "Since"]
    if re.search(r"\w+ \*\*out\b", takes):
        wanted.append("Owner")
    return [f"{name}: its doc block has no \"{word}:\"" for word in wanted
            if not re.search(rf"(^ \* |\.  ){word}: \S", block, re.M)]


def house_rules(root=ROOT):
    said = []
    for path in sorted((root / "include").rglob("*.h")):
        for match in api_list.FUNCTION.finditer(path.read_text()):
            takes = match.string[match.end():match.string.index(";", match.end())]
            said += rules(match.group(3), match.group(1) or "", takes)
    return said


def main(args):
    if not shutil.which("doxygen"):
        print("doxygen is not installed")
        return 77
    said = house_rules()
    if args == ["--check"]:
        with tempfile.TemporaryDirectory() as out:
            said += doxygen(Path(out))
    else:
        out = Path(args[0] if args else ROOT / "build" / "docs").resolve()
        said += doxygen(out)
        print(f"{out}/html/index.html")
    print("\n".join(said + [f"{len(said)} things are not documented"]))
    return len(said) > 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles each public header alone, as C99, C17 and C++17, with every warning an error.

Each ITEM_..._INIT must do as the initialiser of a static struct of its type.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

INCLUDE = Path(__file__).resolve().parent.parent / "include"
LANGUAGES = [
    ("gcc", "c", "c99"), ("gcc", "c", "c17"), ("g++", "c++", "c++17"),
    ("clang-14", "c", "c99"), ("clang++-14", "c++", "c++17"),
]
# -Wpadded: a member that is added in padding would not change the size that tells who has it.
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wpadded", "-Werror"]


def compiles(header, compiler, language, standard):
    # Twice, so that the guard must hold; and a declaration, since ISO C wants one in each file.
    text = f"#include <{header}>\n#include <{header}>\ntypedef int alone;\n"
    for macro in re.findall(r"#define (ITEM_\w+_INIT)\b", (INCLUDE / header).read_text()):
        struct = macro.lower().removesuffix("_init")
        text += f"extern {struct} a_{struct};\n{struct} a_{struct} = {macro};\n"
    done = subprocess.run(
        [compiler, "-x", language, f"-std={standard}", *WARNINGS, "-fsyntax-only", "-I", INCLUDE,
         "-"], input=text, text=True, capture_output=True)
    if done.returncode:
        print(f"{header} as {standard} with {compiler}:\n{done.stderr}")
    return done.returncode == 0


def main():
    headers = sorted(str(p.relative_to(INCLUDE)) for p in INCLUDE.rglob("*.h"))
    languages = [l for l in LANGUAGES if shutil.which(l[0])]
    bad = sum(not compiles(h, *l) for h in headers for l in languages)
    print(f"{len(headers)} headers, {len(languages)} compilers and standards, {bad} failed")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Formats all C and C++ with clang-format 14; with --check only tells what is not formatted."""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["bindings", "cli", "examples", "include", "lib", "tests"]


def main():
    tool = shutil.which("clang-format-14")
    if not tool:
        print("clang-format-14 is not installed")
        return 77
    files = sorted(str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*")
                   if path.suffix in (".c", ".h", ".cc"))
    mode = ["--dry-run", "-Werror"] if "--check" in sys.argv[1:] else ["-i"]
    return subprocess.run([tool, *mode, *files]).returncode


if __name__ == "__main__":
    sys.exit(main())

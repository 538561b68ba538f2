#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles builds below build/, by name; a second call is quick.

As a program it makes build/release without tests, for `make demo` and `make bench`; with
--tests, or where they were built before, it has them (tools/install-deps.sh check).
"""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What `make demo` and `make check` share: the release build, installed beside itself.
RELEASE = ["--buildtype=release", f"--prefix={ROOT / 'build' / 'prefix'}"]


def run(command, log=None, env=None):
    """Runs a command; its output goes to the log (or the terminal). Returns the exit code."""
    return subprocess.run(command, cwd=ROOT, stdout=log, stderr=log and subprocess.STDOUT,
                          env={**os.environ, **(env or {})}).returncode


def build(name, options, log=None, env=None):
    """Configures build/NAME, again where the options changed, and compiles it."""
    folder = ROOT / "build" / name
    stamp = folder / "options.txt"
    wanted = " ".join(options)
    if not (folder / "build.ninja").exists():
        code = run(["meson", "setup", str(folder), *options], log, env)
    elif not stamp.exists() or stamp.read_text() != wanted:
        code = run(["meson", "setup", "--reconfigure", str(folder), *options], log, env)
    else:
        code = 0
    if code:
        return code
    stamp.write_text(wanted)
    return run(["ninja", "-C", str(folder)], log, env)


def main():
    stamp = ROOT / "build" / "release" / "options.txt"
    tests = sys.argv[1:] == ["--tests"]
    if sys.argv[1:] and not tests:
        sys.exit("usage: tools/build.py [--tests]")
    if stamp.exists() and (not tests or "-Dtests=true" in stamp.read_text()):
        return build("release", stamp.read_text().split())
    return build("release", RELEASE + [f"-Dtests={str(tests).lower()}"])


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the extension against an installed libitem, and uses it in gThumb on a virtual screen.

    run.py PREFIX [--screenshots FOLDER] [--valgrind]

PREFIX holds libitem and the program item; its build folder build/release, a libitem that can be told
of another pack. The system's gThumb is left alone: in a mount namespace of its own the test puts a
folder with the extension over gThumb's. Buttons are pressed and texts are read through AT-SPI, as a
screen reader would. Ends with 77 where a namespace, or what the test needs, cannot be had.
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
WORK = ROOT / "build" / "gthumb"
NEEDED = ["gthumb", "xvfb-run", "unshare", "dbus-run-session", "import", "meson", "pkg-config"]


def build(prefix):
    """Compiles the extension, and installs it below WORK/root."""
    pkgconfig = next(prefix.rglob("item.pc")).parent
    env = {**os.environ, "PKG_CONFIG_PATH": str(pkgconfig), "DESTDIR": str(WORK / "root")}
    folder = WORK / "build"
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, HERE.parent, "--buildtype=debugoptimized",
                        "--werror"], env=env, check=True)
    shutil.rmtree(WORK / "root", ignore_errors=True)
    subprocess.run(["meson", "install", "-C", folder], env=env, check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--screenshots", type=Path, default=WORK / "screenshots")
    parser.add_argument("--valgrind", action="store_true", help="checks under memcheck, half an hour")
    options = parser.parse_args()
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        print("not installed:", *missing)
        return 77
    if subprocess.run(["unshare", "-rm", "true"]).returncode:
        print("no mount namespace may be made here")
        return 77
    build(options.prefix.resolve())
    options.screenshots.mkdir(parents=True, exist_ok=True)
    inside = [sys.executable, HERE / "session.py", options.prefix.resolve(),
              options.screenshots.resolve(), *["valgrind"] * options.valgrind]
    return subprocess.run(["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", "unshare", "-rm",
                           "dbus-run-session", "--", *inside]).returncode


if __name__ == "__main__":
    sys.exit(main())

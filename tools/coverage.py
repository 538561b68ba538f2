#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make coverage`: which lines and branches of lib/ the tests reach.

Runs every test of a build with coverage, prints a table by layer, and writes each line that no
test reached to build/coverage/missed.txt. Branches that the compiler makes, and no one wrote, are
not counted. docs/coverage.md says why the missed ones are missed.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

from build import ROOT, build

FOLDER = ROOT / "build" / "coverage"
OPTIONS = ["-Db_coverage=true", "-Dtests=true", "--buildtype=debug"]


def tested(log):
    """Builds and runs; what was counted before is forgotten."""
    os.umask(0)  # some tests run the program as nobody, who has to write down its coverage too
    if build("coverage", OPTIONS, log):
        return False
    for old in FOLDER.rglob("*.gcda"):
        old.unlink()
    return subprocess.run(["meson", "test", "-C", str(FOLDER), "--no-rebuild", "-t", "5"],
                          stdout=log, stderr=log).returncode == 0


def counted():
    """The report of gcovr: a dictionary with every line and branch of lib/."""
    done = subprocess.run(
        ["gcovr", "--root", str(ROOT), str(FOLDER), "--filter", "lib/", "-j", "2", "--json",
         "--gcov-ignore-parse-errors", "--exclude-throw-branches",
         "--exclude-unreachable-branches"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    files = json.loads(done.stdout)["files"]
    for file in files:  # gcovr lists comments as well, with a count of 0
        file["lines"] = [line for line in file["lines"] if not line["gcovr/noncode"]]
    return files


def layer_of(path):
    parts = Path(path).parts[1:-1]
    return "/".join(parts[:2])


def figures(files):
    """Per layer: lines, lines reached, branches, branches reached."""
    layers = {}
    for file in files:
        for name in (layer_of(file["file"]), "all"):
            row = layers.setdefault(name, [0, 0, 0, 0])
            for line in file["lines"]:
                row[0] += 1
                row[1] += line["count"] > 0
                row[2] += len(line["branches"])
                row[3] += sum(branch["count"] > 0 for branch in line["branches"])
    return layers


def missed(files):
    """Every line that nothing reached, with its text."""
    for file in sorted(files, key=lambda f: f["file"]):
        source = (ROOT / file["file"]).read_text(encoding="utf-8").splitlines()
        for line in file["lines"]:
            if line["count"] == 0:
                number = line["line_number"]
                yield f"{file['file']}:{number}: {source[number - 1].strip()}"


def main():
    FOLDER.parent.mkdir(exist_ok=True)
    with open(FOLDER.parent / "coverage.log", "wb") as log:
        if not tested(log):
            sys.exit("coverage.py: the build or a test failed: build/coverage.log")
    files = counted()
    (FOLDER / "missed.txt").write_text("\n".join(missed(files)) + "\n", encoding="utf-8")
    print("| layer | lines | reached | branches | reached |\n|---|---|---|---|---|")
    for name, (lines, hit, branches, taken) in sorted(figures(files).items(),
                                                      key=lambda row: row[0] == "all"):
        print(f"| {name} | {lines:,} | {100 * hit / lines:.1f} % | {branches:,} "
              f"| {100 * taken / max(branches, 1):.1f} % |")


if __name__ == "__main__":
    main()

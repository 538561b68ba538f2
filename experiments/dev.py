# SPDX-License-Identifier: Apache-2.0
"""The only place that reads labels of detect/ dev's closed sources, and it counts each look."""
import csv
import datetime
import subprocess

import common

LOOKS = common.HERE / "looks.csv"
COLUMNS = ["date", "commit", "arms", "why"]


def commit():
    """Of the tree that looks; one with changes that are not committed is refused."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=common.REPO, stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()

    changed = [line for line in git("status", "--porcelain").splitlines()
               if not line.endswith(("experiments/looks.csv", "docs/experiments.md"))]
    if changed:
        raise common.Refused("commit first: a look is written down with the commit that looked "
                             f"({len(changed)} files differ)")
    return git("rev-parse", "--short=12", "HEAD")


def note_look(arms, why, commit_name, path=LOOKS):
    """Before anything is read."""
    if not why or not why.strip():
        raise common.Refused("a look at the closed sources needs a reason: --open-dev 'WHY'")
    with open(path, "a", newline="", encoding="utf-8") as out:
        csv.DictWriter(out, COLUMNS).writerow({
            "date": datetime.date.today().isoformat(), "commit": commit_name,
            "arms": " ".join(arms), "why": why.strip()})


def open_manifest(args, arms, why):
    """Rows of the closed sources, labels and all; one more line in looks.csv."""
    note_look(arms, why, commit())
    rows = common.read_manifest(common.manifest_file(args))
    return [r for r in rows if r["split"] == "dev" and r["source"] in common.CLOSED]

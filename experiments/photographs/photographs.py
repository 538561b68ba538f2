#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""False positives: what the pack's own head says of photographs, by set and threshold.

Flickr8k dev and test, coco_boxes at native size, and the photographs of detect/ dev that are not
closed; with --open-dev WHY those of the closed sources too, and the look is counted. No picture is
called fake for being of a set: what may have trained an ingredient of the pack is marked, and the
pooled figures are given with and without.
"""
import csv
import json
import sys
from pathlib import Path

from scipy.stats import binomtest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import dev  # noqa: E402

THRESHOLDS = {"fpr1": 0.01, "fpr5": 0.05}
ENOUGH = 100  # photographs from which on a set must keep to the limit by itself
LIMIT = 0.10  # of fpr5, of such a set
# What a set may have taught, beside the head: stages of the small pack (its model card).
TAUGHT = {"flickr8k dev": "settings of captioner and embedder", "coco_boxes train2017": "detector",
          "imagenet_sample1000": "image encoder"}


# ---- the sets ----------------------------------------------------------------------------------
def flickr(data, split):
    with open(data / "flickr8k" / "captions.csv", newline="", encoding="utf-8") as lines:
        names = {row["image"] for row in csv.DictReader(lines) if row["split"] == split}
    found = {path.name: path for path in (data / "flickr8k").rglob("*.jpg")}
    return [found[name] for name in sorted(names)]


def open_sets(args):
    """Paths by the name of the set."""
    sets = {f"flickr8k {split}": flickr(args.data, split) for split in ("dev", "test")}
    for folder in ("train2017", "val2017"):
        sets[f"coco_boxes {folder}"] = sorted((args.data / "coco_boxes" / folder).glob("*.jpg"))
    for row in common.load_manifest(args, split="dev"):
        if row["label"] == "real":
            sets.setdefault(row["source"], []).append(Path(row["path"]))
    return sets


def closed_sets(args):
    sets = {}
    rows = dev.open_manifest(args, ["photographs"], args.open_dev)
    for row in rows:
        if row["label"] == "real":
            sets.setdefault(row["source"], []).append(Path(row["path"]))
    return sets


# ---- what is said of them ----------------------------------------------------------------------
def known_sources(args):
    """Sources that the head was trained on, and so is no test for."""
    shown = json.loads(common.call(args, "pack", "show", args.pack, "--json"))
    return set((shown.get("head") or {}).get("trained_sources", []))


def verdicts(args, paths, threshold):
    cache = args.out / "work" / "photographs.cache"
    said = common.answers(args, "check", paths, "--threshold", threshold, "--cache", cache)
    return [row for row in said if "error" not in row or not row["error"]]


def count(answers):
    of = {"n": len(answers), "ai": 0, "real": 0, "unsure": 0, "out_of_scope": 0}
    for row in answers:
        of[row["verdict"]] += 1
        of["out_of_scope"] += row["reason"] == "out_of_scope"
    return of


def share(k, n):
    """[share, low, high]: exact binomial."""
    ends = binomtest(k, n).proportion_ci(0.95, "exact")
    return [k / n, float(ends.low), float(ends.high)]


def pooled(found, without=()):
    chosen = [v for name, v in found.items() if name not in without]
    return {key: sum(v[key] for v in chosen) for key in ("n", "ai", "real", "unsure", "out_of_scope")}


def measure(args, sets):
    return {threshold: {name: count(verdicts(args, paths, threshold)) for name, paths in sets.items()}
            for threshold in THRESHOLDS}


# ---- tables ------------------------------------------------------------------------------------
def broken(name, of, threshold):
    """Whether a set breaks the promise for certain, or is large and above the limit."""
    rate = share(of["ai"], of["n"])
    if of["n"] >= ENOUGH and threshold == "fpr5":
        return rate[0] > LIMIT
    return rate[1] > THRESHOLDS[threshold]


def row_of(name, marks, found):
    cells = [name, marks]
    for threshold in THRESHOLDS:
        of = found[threshold]
        cells += [share(of["ai"], of["n"]), "broken" if broken(name, of, threshold) else "kept"]
    last = found["fpr5"]
    return cells[:2] + [last["n"]] + cells[2:] + [last["unsure"] / last["n"],
                                                  share(last["out_of_scope"], last["n"])]


def table(found, known):
    names = sorted(found["fpr5"], key=lambda n: -found["fpr5"][n]["ai"] / found["fpr5"][n]["n"])
    marks = {n: ", ".join(filter(None, ["the head" if n in known else "", TAUGHT.get(n, "")])) or "-"
             for n in names}
    rows = [row_of(n, marks[n], {t: found[t][n] for t in THRESHOLDS}) for n in names]
    for label, without in (("all", ()), ("without what taught", [n for n in names if marks[n] != "-"])):
        if len(names) > len(without):
            rows.append(row_of(label, "-", {t: pooled(found[t], without) for t in THRESHOLDS}))
    columns = ["photographs", "taught", "how many", "`ai` at fpr1", "promise of 1 %", "`ai` at fpr5",
               "promise of 5 %", "unsure", "out of scope"]
    return common.table(columns, rows, (
        "Shares with exact binomial intervals (95 %), the worst set first. A promise is broken where "
        f"the low end lies above it; at fpr5, for a set of {ENOUGH} or more, where the share is above "
        f"{LIMIT:.0%}. Taught: what of the pack was made with these pictures or their like."))


def main():
    args = common.arguments(__doc__, open_dev=None)
    opened = args.open_dev is not None
    found = measure(args, closed_sets(args) if opened else open_sets(args))
    name = "photographs-dev" if opened else "photographs"
    command = f"make experiments ONLY=photographs{' OPEN_DEV=...' if opened else ''}"
    common.write(args, __file__, name, found, {name: table(found, known_sources(args))}, command)


if __name__ == "__main__":
    main()

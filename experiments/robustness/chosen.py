# SPDX-License-Identifier: Apache-2.0
"""Chooses balanced pictures among rows of a manifest, with a fixed seed.

Half of them are AI pictures. Sources that have both labels give as many of the one as of the
other, and share the places out evenly; sources of one label fill what is left.
"""
import random
from collections import defaultdict
from pathlib import Path

LABELS = ("ai", "real")


def shared_out(room, places):
    """Places for each name, as even as its room allows; names in sorted order get the odd ones."""
    given = dict.fromkeys(room, 0)
    while places:
        open_names = sorted((n for n in room if given[n] < room[n]), key=lambda n: (given[n], n))
        if not open_names:
            return given
        given[open_names[0]] += 1
        places -= 1
    return given


def choose(rows, each, seed):
    """`each` rows of each label, or ValueError where there are too few."""
    piles = defaultdict(list)
    for row in sorted(rows, key=lambda r: r["path"]):
        piles[row["source"], row["label"]].append(row)
    for pile in piles.values():
        random.Random(f"{seed} {pile[0]['source']} {pile[0]['label']}").shuffle(pile)
    sources = {source for source, _ in piles}
    both = {s: min(len(piles[s, label]) for label in LABELS)
            for s in sources if all(piles[s, label] for label in LABELS)}
    pairs = shared_out(both, each)
    chosen = []
    for label in LABELS:
        single = {s: len(piles[s, label]) for s in sources if s not in both}
        taken = {**pairs, **shared_out(single, each - sum(pairs.values()))}
        if sum(taken.values()) < each:
            raise ValueError(f"{sum(taken.values())} pictures of label {label} can be had, not {each}")
        chosen += [row for s in sorted(taken) for row in piles[s, label][:taken[s]]]
    for row in chosen:
        if not Path(row["path"]).is_file():
            raise ValueError(f"{row['path']}: is not there")
    return chosen

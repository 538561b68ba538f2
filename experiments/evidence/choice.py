#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the pack's head was chosen among: layouts and penalties, on detect/ train alone.

The vectors are those of the program. The measure is that of parts.py: generator, scene and source
of photographs are new to the head; in two columns the AI pictures' source too.
"""
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import evidence  # noqa: E402
import metrics  # noqa: E402
import parts  # noqa: E402
import thresholds  # noqa: E402
import vectors  # noqa: E402

CHOSEN = "picture/1+difference/global/1"
LAYOUTS = ("picture/1", "difference/global/1", "difference/local/1", "difference/both/1",
           "product/both/1", "cosine/both/1", "picture/1+difference/global/1",
           "picture/1+difference/local/1", "picture/1+difference/both/1", "picture/1+cosine/both/1",
           "picture/1+product/both/1", "layers/1", "layers/1+picture/1",
           "layers/1+picture/1+difference/global/1", "caption/1")
PENALTIES = (1.0, metrics.PENALTY, 250.0)
# parts.ridge() fits -1 and +1 by squares; near nothing the logistic loss is a quarter of that.
SQUARES = 4


def vectors_of(args, *options):
    """Rows of train and photographs beside it that the program could answer, and their vectors."""
    rows = common.load_manifest(args, split="train") + evidence.photographs(args)
    return vectors.read(common.features(args, rows, "choice", *options), rows)


def main():
    args = common.arguments(__doc__)
    rows, data, order = vectors_of(args)
    r, text, found = parts.Rows(rows), data.text[order].astype(np.float64), {}
    for layout in LAYOUTS:
        features = vectors.of_layout(layout, data, order).astype(np.float64)
        for penalty in PENALTIES:
            name = f"{layout}, {penalty:g}"
            found[name] = evidence.measure(r, text, name, features, SQUARES * penalty)
    chosen = vectors.of_layout(CHOSEN, data, order).astype(np.float64)
    limits = thresholds.measure(r, chosen, SQUARES * metrics.PENALTY)
    common.write(args, __file__, "choice", {"layouts": found, "thresholds": limits}, {
        "choice": evidence.table("layout, penalty", found), "choice-thresholds": thresholds.table(limits)})


if __name__ == "__main__":
    main()

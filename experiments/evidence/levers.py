#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Levers outside of words, apart from the evidence of words: a larger published picture encoder.

EfficientNet-Lite2 is run by lite2.py; all else is the program's. Measured as choice.py does, on
train alone.
"""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import choice  # noqa: E402
import common  # noqa: E402
import evidence  # noqa: E402
import metrics  # noqa: E402
import parts  # noqa: E402
import vectors  # noqa: E402

STRENGTHS = (3.0, choice.SQUARES * metrics.PENALTY)


def lite2(args, rows):
    """Lite2's mean of the grid [rows x 1280], made once for these pictures."""
    paths = "\n".join(r["path"] for r in rows)
    key = common.digest_text(paths, *((HERE / n).read_text("utf-8") for n in ("lite2.py", "views.py")))[:16]
    out = args.out / "work" / f"evidence-lite2-{key}.npz"
    if not out.exists():
        names = out.with_suffix(".txt")
        names.write_text(paths, encoding="utf-8")
        python = os.environ.get("RECIPES_PYTHON", sys.executable)
        if subprocess.run([python, HERE / "lite2.py", names, out, str(args.threads)]).returncode:
            raise common.Refused(f"lite2.py failed with {python}; RECIPES_PYTHON names a Python with the "
                                 "packages that its head lists")
    with np.load(out) as file:
        return file["lite2"].astype(np.float64)


def main():
    args = common.arguments(__doc__, threads=2)
    rows, data, order = choice.vectors_of(args)
    r, text, larger = parts.Rows(rows), data.text[order].astype(np.float64), lite2(args, rows)
    chosen = vectors.of_layout(choice.CHOSEN, data, order).astype(np.float64)
    grid = vectors.of_layout("layers/1", data, order).astype(np.float64)
    candidates = {"Lite0's grid, as the pack has it": grid, "Lite2's grid": larger,
                  "Lite2's grid and Lite0's": np.concatenate([larger, grid], 1),
                  "the chosen features": chosen,
                  "the chosen features and Lite2's grid": np.concatenate([chosen, larger], 1)}
    found = {}
    for title, features in candidates.items():
        for strength in STRENGTHS:
            name = f"{title}, {strength / choice.SQUARES:g}"
            found[name] = evidence.measure(r, text, name, features, strength)
    common.write(args, __file__, "levers", found,
                 {"evidence-levers": evidence.table("features, penalty", found)})


if __name__ == "__main__":
    main()

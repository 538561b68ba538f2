# SPDX-License-Identifier: Apache-2.0
"""What a defender gets: do the model's caption and the caller's speak of the same picture?

agreement.py [--pictures 250]

Cosines of the vectors of both captions, over captions that people wrote of Flickr8k's photographs and
over those of another photograph. A limit is set so that 99 in 100 captions of the photograph's own
(split dev) pass; false alarms and what is found are told on the split test. Beside it the cosine of
the picture and the caller's caption, by the same rule.
"""
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "robustness")]
import common  # noqa: E402
import measure  # noqa: E402

PASS = 0.99


def captions_of(args, split):
    """Photographs of a split with the captions that people wrote."""
    written = defaultdict(list)
    with open(args.data / "flickr8k" / "captions.csv", newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            if row["split"] == split:
                written[row["image"]].append(row["caption"])
    step = max(1, len(written) // args.pictures)
    names = list(written)[::step][:args.pictures]
    return [args.data / "flickr8k" / "images" / n for n in names], [written[n] for n in names]


def embed_texts(args, texts):
    rows = []
    for start in range(0, len(texts), 400):
        words = [w for text in texts[start:start + 400] for w in ("--text", text)]
        said = common.call(args, "embed", "--pack", args.pack, "--json", *words)
        rows += [json.loads(line)["embedding"] for line in said.splitlines()]
    return np.array(rows)


def answered(args, command, files):
    rows = common.answers(args, command, files)
    failed = [r["error"]["message"] for r in rows if "error" in r]
    if failed:
        raise common.Refused(f"{len(failed)} photographs were not answered: {failed[0]}")
    return rows


def cosines(args, split):
    """By comparison: [pictures x captions] with the photograph's own captions and with another's."""
    files, written = captions_of(args, split)
    many = min(map(len, written))
    own = embed_texts(args, [a["caption"] for a in answered(args, "caption", files)])
    pictures = np.array([a["embedding"] for a in answered(args, "embed", files)])
    people = embed_texts(args, [t for texts in written for t in texts[:many]]).reshape(len(files), many, -1)
    others = np.roll(people, 1, axis=0)
    return {name: (np.einsum("pw,pcw->pc", one, people), np.einsum("pw,pcw->pc", one, others))
            for name, one in (("caption and caption", own), ("picture and caption", pictures))}


def figures(dev, test):
    """Limit from dev; what falls below it on test."""
    limit = float(np.quantile(dev[0], 1 - PASS))
    return {"limit": limit, "false_alarms": measure.share(np.sum(test[0] < limit), test[0].size),
            "found": measure.share(np.sum(test[1] < limit), test[1].size),
            "medians": [float(np.median(test[0])), float(np.median(test[1]))]}


def main():
    args = common.arguments(__doc__, pictures=250)
    dev, test = (cosines(args, split) for split in ("dev", "test"))
    result = {name: figures(dev[name], test[name]) for name in dev}
    rows = [[name, f["limit"], [f["false_alarms"]["share"], *f["false_alarms"]["interval"]],
             [f["found"]["share"], *f["found"]["interval"]], *f["medians"]] for name, f in result.items()]
    columns = ["cosine of", "limit", "false alarms: people's captions of the photograph",
               "found: people's captions of another", "median, own", "median, another's"]
    note = f"{args.pictures} photographs of each split, five captions each; intervals as if all were independent."
    print(common.write(args, __file__, "agreement", result, {"agreement": common.table(columns, rows, note)},
                       "make robustness"))


if __name__ == "__main__":
    main()

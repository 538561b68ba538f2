"""AP50 of the detector on coco_boxes/val2017, through the program.

Every class name is a query, so this also shows that each name finds its class.
"""
import sys
from collections import defaultdict
from pathlib import Path

from PIL import Image

import program

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from eval_detector import average_precision, match, truth  # noqa: E402
from make_classes import read_list  # noqa: E402


def main():
    args = program.arguments(__doc__)
    names, _ = read_list()
    labels = sorted((args.data / "coco_boxes" / "val2017").glob("*.txt"))
    queries = [word for name in names for word in ("--query", name)]
    rows = program.item(args, "detect", [f.with_suffix(".jpg") for f in labels],
                        *queries, "--threshold", "0.02", "--max-objects", "64")
    hits, total = defaultdict(list), defaultdict(int)
    for label, row in zip(labels, rows):
        wanted = truth(label, *Image.open(label.with_suffix(".jpg")).size)
        found = [(names.index(o["query"]), o["score"], *o["box"]) for o in row["objects"]]
        match(found, wanted, hits)
        for r in wanted:
            total[r[0]] += 1
    scores = [average_precision(hits[c], total[c]) if hits[c] else 0.0 for c in total]
    print(f"val2017: AP50 {sum(scores) / len(scores):.3f} over {len(scores)} classes, "
          f"{sum(total.values())} boxes, at most 64 boxes a picture")


if __name__ == "__main__":
    main()

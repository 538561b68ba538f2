"""The program's boxes against those of the origin's graph in TensorFlow.js.

Compared is what `item detect` answers on coco_boxes/val2017, asked for all 80 class names, with
the origin's raw numbers (its graph ends there) decoded by detector_reference.decode. `item detect`
does not bring pictures to the pack's working size as `item check` does: it squashes the whole
picture to 416x416, which Pillow does for the origin with the same bytes. Both keep boxes from
--threshold on, suppress above the same overlap and give at most 64 boxes of a class. Two boxes of
a class match where their overlap is over 0.95 and their scores lie within 1e-3.

--origin FOLDER   where nanodet.json and nanodet.bin lie
--tfjs FOLDER     where TensorFlow.js is installed (see detector_origin.mjs)
"""
import json
import sys
from collections import defaultdict
from pathlib import Path

import torch
from PIL import Image

import program

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import detector_reference as net  # noqa: E402
from make_classes import read_list  # noqa: E402
from make_detector import run_origin  # noqa: E402

MOST = 64  # boxes that the program gives at once
LEAST_IOU, SCORE = 0.95, 1e-3


def ask(args, files, names):
    """Objects by file. Of a full answer each half of the names is asked for anew."""
    queries = [word for name in names for word in ("--query", name)]
    rows = program.item(args, "detect", files, *queries, "--threshold", str(args.threshold),
                        "--max-objects", str(MOST))
    found = {f: row["objects"] for f, row in zip(files, rows)}
    full = [f for f in files if len(found[f]) == MOST]
    if full and len(names) > 1:
        middle = len(names) // 2
        some, others = ask(args, full, names[:middle]), ask(args, full, names[middle:])
        found.update((f, some[f] + others[f]) for f in full)
    return found


def by_class(boxes):
    """Rows (class, score, corners) to a tensor (boxes, 5) for each class, best first."""
    out = defaultdict(list)
    for c, *rest in sorted(boxes, key=lambda b: -b[1]):
        out[c].append(rest)
    return {c: torch.tensor(rows[:MOST], dtype=torch.float64) for c, rows in out.items()}


def origin_boxes(args, files):
    """Boxes by class for each file, in pixels of the picture."""
    pictures = (net.normalise(net.read_pixels(Image.open(f))[None]) for f in files)
    for f, raw in zip(files, run_origin(args.origin, args.tfjs, pictures)):
        x, y = (side / net.SIZE for side in Image.open(f).size)
        yield by_class((c, s, a * x, b * y, d * x, e * y)
                       for c, s, a, b, d, e in net.decode(raw, 0, args.threshold))


def pairs(ours, theirs):
    """Of one class: a matrix of what matches, of overlaps and of differences of scores."""
    overlap = net.iou(ours[:, 1:], theirs[:, 1:])
    apart = (ours[:, None, 0] - theirs[None, :, 0]).abs()
    return (overlap > LEAST_IOU) & (apart <= SCORE), overlap, apart


def reason(args, boxes, i):
    """Why box i of a class may be missing on the other side, through rounding alone."""
    if boxes[i, 0] - args.threshold <= SCORE:
        return "at the threshold"
    if len(boxes) == MOST and boxes[i, 0] - boxes[-1, 0] <= SCORE:
        return f"at the cut after {MOST} boxes"
    return "no reason known"


class Tally:
    """Counts of the boxes from `least` on."""

    def __init__(self, least):
        self.least, self.ours, self.theirs, self.matched = least, 0, 0, 0
        self.worst_iou, self.worst_score = 1.0, 0.0

    def add(self, ours, theirs):
        ours, theirs = (boxes[boxes[:, 0] >= self.least] for boxes in (ours, theirs))
        same, overlap, apart = pairs(ours, theirs)
        self.ours += len(ours)
        self.theirs += len(theirs)
        self.matched += int(same.sum())
        if same.any():
            self.worst_iou = min(self.worst_iou, float(overlap[same].min()))
            self.worst_score = max(self.worst_score, float(apart[same].max()))

    def tell(self):
        print(f"scores from {self.least} on: {self.ours} boxes of the program, {self.theirs} of the "
              f"origin, {self.matched} match; of these IoU at least {self.worst_iou:.6f}, scores "
              f"within {self.worst_score:.1e}")


def compare(args, names, file, ours, theirs, tallies):
    """One picture; every box that matches none is told."""
    none = torch.zeros(0, 5, dtype=torch.float64)
    for c in sorted(ours.keys() | theirs.keys()):
        sides = ours.get(c, none), theirs.get(c, none)
        same = pairs(*sides)[0]
        for whose, boxes, found in zip(("program", "origin"), sides, (same.any(1), same.any(0))):
            for i in (~found).nonzero()[:, 0]:
                score, *box = boxes[i].tolist()
                print(f"{file.name}: {names[c]}, the {whose}'s alone, score {score:.7f}, box "
                      f"{[round(v, 1) for v in box]}: {reason(args, boxes, i)}")
        for tally in tallies:
            tally.add(*sides)


def main():
    args = program.arguments(__doc__, origin="nanodet", tfjs=".", threshold=0.05)
    torch.set_num_threads(1)
    names, _ = read_list()
    files = sorted((args.data / "coco_boxes" / "val2017").glob("*.jpg"))
    manifest = json.loads((args.pack / "item.json").read_text())
    usual = manifest["stages"]["detector"]["config"]["least_score"]
    tallies = [Tally(least) for least in sorted({args.threshold, usual})]
    found = ask(args, files, names)
    for f, theirs in zip(files, origin_boxes(args, files)):
        ours = by_class((names.index(o["query"]), o["score"], *o["box"]) for o in found[f])
        compare(args, names, f, ours, theirs, tallies)
    print(f"{len(files)} pictures")
    for tally in tallies:
        tally.tell()


if __name__ == "__main__":
    main()

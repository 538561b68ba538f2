"""AP50 of the detector on coco_boxes (all 80 classes that occur), and of other ways in.

--how names the pre-processing: bgr (the pack's), rgb, unit (0..1, RGB), resize
bicubic (bgr with Pillow's bicubic).
"""
from collections import defaultdict

import numpy as np
import torch
from PIL import Image

import common
import detector_reference as net


def truth(path, width, height):
    """(class, x0, y0, x1, y1) in pixels."""
    rows = []
    for line in path.read_text().splitlines():
        c, x, y, w, h = (float(v) for v in line.split())
        rows.append((int(c), (x - w / 2) * width, (y - h / 2) * height,
                     (x + w / 2) * width, (y + h / 2) * height))
    return rows


def prepare(picture, how):
    size = (net.SIZE, net.SIZE)
    kind = Image.BICUBIC if how == "bicubic" else Image.BILINEAR
    pixels = np.asarray(picture.convert("RGB").resize(size, kind))[None]
    x = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float()
    if how == "unit":
        return x / 255
    return net.normalise(pixels) if how != "rgb" else net.normalise(pixels[..., ::-1])


def average_precision(hits, total):
    """Area under the precision envelope; hits: (score, right) of one class."""
    hits = sorted(hits, key=lambda h: -h[0])
    right = np.cumsum([h[1] for h in hits])
    recall, precision = right / total, right / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # COCO's way: precision read at 101 recalls.
    marks = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([envelope[m] if m < len(envelope) else 0.0 for m in marks]))


def match(found, rows, hits):
    """Greedy by score, one true box each, IoU at least 0.5."""
    used = set()
    boxes = torch.tensor([r[1:] for r in rows]).view(-1, 4)
    for c, score, *box in found:
        overlap = net.iou(torch.tensor([box]), boxes)[0] if len(rows) else torch.zeros(0)
        best = [i for i in range(len(rows)) if rows[i][0] == c and i not in used and overlap[i] >= 0.5]
        right = bool(best)
        if right:
            used.add(max(best, key=lambda i: overlap[i]))
        hits[c].append((score, right))


def ap50(args, how, folder):
    detector, hits, total = net.Detector(args.pack), defaultdict(list), defaultdict(int)
    for path in sorted((args.data / "coco_boxes" / folder).glob("*.jpg")):
        picture = Image.open(path)
        label = path.with_suffix(".txt")
        rows = truth(label, *picture.size) if label.exists() else []
        with torch.inference_mode():
            found = net.decode(detector.graph(prepare(picture, how)), 0, 0.02)[:100]
        sx, sy = (s / net.SIZE for s in picture.size)
        match([(c, s, a * sx, b * sy, d * sx, e * sy) for c, s, a, b, d, e in found], rows, hits)
        for r in rows:
            total[r[0]] += 1
    scores = {c: average_precision(hits[c], n) if hits[c] else 0.0 for c, n in total.items()}
    print(f"{folder}, {how}: AP50 {np.mean(list(scores.values())):.3f} over {len(scores)} classes, "
          f"{sum(total.values())} boxes; weighted by boxes "
          f"{sum(scores[c] * n for c, n in total.items()) / sum(total.values()):.3f}; "
          f"person {scores.get(0, 0):.3f}", flush=True)


def main():
    args = common.arguments(__doc__, how="bgr", folders="val2017,train2017")
    for how in args.how.split(","):
        for folder in args.folders.split(","):
            ap50(args, how, folder)


if __name__ == "__main__":
    main()

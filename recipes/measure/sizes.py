"""Do large, wide pictures and their small, square copies get the same verdict?

The photographs of coco_boxes (both folders) are checked at native size, enlarged to 12
megapixels, and cut and reduced as `detect/` was (middle square, 224 pixels, JPEG 80).
"""
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

import program

KINDS = ("native", "12 megapixels", "square 224")


def enlarged(picture):
    factor = (12e6 / (picture.width * picture.height)) ** 0.5
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.BICUBIC)


def square(picture):
    side = min(picture.size)
    x, y = (picture.width - side) // 2, (picture.height - side) // 2
    cut = picture.crop((x, y, x + side, y + side))
    return cut.resize((224, 224), Image.LANCZOS) if side > 224 else cut


def copies(files, folder, change, quality):
    out = []
    for f in files:
        out.append(folder / f.name)
        change(Image.open(f).convert("RGB")).save(out[-1], quality=quality)
    return out


def compare(rows):
    for a, b in combinations(KINDS, 2):
        pairs = list(zip(rows[a], rows[b]))
        flips = sum({x["verdict"], y["verdict"]} == {"ai", "real"} for x, y in pairs)
        same = sum(x["verdict"] == y["verdict"] for x, y in pairs)
        score = np.corrcoef([x["score"] for x in rows[a]], [y["score"] for y in rows[b]])[0, 1]
        print(f"{a} / {b}: {flips} flips between real and ai of {len(pairs)}, "
              f"same verdict {same / len(pairs):.3f}, correlation of scores {score:.3f}")


def main():
    args = program.arguments(__doc__, threshold="fpr1")
    files = sorted((args.data / "coco_boxes").glob("*/*.jpg"))
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        for kind, change, quality in (("native", None, 0), ("12 megapixels", enlarged, 92),
                                      ("square 224", square, 80)):
            folder = Path(name) / kind.replace(" ", "-")
            folder.mkdir()
            some = copies(files, folder, change, quality) if change else files
            rows[kind] = program.item(args, "check", some, "--threshold", args.threshold)
    print(f"{len(files)} photographs, threshold {args.threshold}")
    for kind in KINDS:
        share = {v: np.mean([r["verdict"] == v for r in rows[kind]]) for v in ("ai", "unsure", "real")}
        print(f"{kind}: " + ", ".join(f"{v} {s:.4f}" for v, s in share.items()))
    compare(rows)


if __name__ == "__main__":
    main()

"""Do large, wide pictures and their small, square copies get the same verdict?

The photographs of coco_boxes (both folders) are checked at native size, enlarged to 12
megapixels, and cut and reduced as `detect/` was (middle square, 224 pixels, JPEG 80).

A head that answers `unsure` for nearly all of them makes that an easy test, so it is repeated with
points that do decide: those above which 5 % (called `ai`) and below which half (called `real`) of
the native pictures' scores lie.
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


def show(verdicts):
    for kind in KINDS:
        print(f"{kind}: " + ", ".join(f"{v} {np.mean(verdicts[kind] == v):.4f}"
                                      for v in ("ai", "unsure", "real")))
    for a, b in combinations(KINDS, 2):
        pairs = list(zip(verdicts[a], verdicts[b]))
        flips = sum({x, y} == {"ai", "real"} for x, y in pairs)
        same = sum(x == y for x, y in pairs)
        print(f"{a} / {b}: {flips} flips between real and ai of {len(pairs)}, "
              f"same verdict {same / len(pairs):.3f}")


def decided(scores):
    """Verdicts by the points that share the native scores out."""
    ai, real = np.quantile(scores["native"], (0.95, 0.5))
    return {k: np.where(s >= ai, "ai", np.where(s < real, "real", "unsure")) for k, s in scores.items()}


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
    show({k: np.array([r["verdict"] for r in rows[k]]) for k in KINDS})
    scores = {k: np.array([r["score"] for r in rows[k]]) for k in KINDS}
    print("with points at 95 % and 50 % of the native scores")
    show(decided(scores))
    for a, b in combinations(KINDS, 2):
        print(f"{a} / {b}: correlation of scores {np.corrcoef(scores[a], scores[b])[0, 1]:.3f}")


if __name__ == "__main__":
    main()

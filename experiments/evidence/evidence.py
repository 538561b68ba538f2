#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which evidence tells, on detect/ train alone: from words, from the picture, and what disturbs it.

The networks are run by read.py in PyTorch, with the forward passes of recipes/, so this is about
packs of the small pack's families. Photographs of flickr8k and coco_boxes are added to train.
"""
import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import ideas  # noqa: E402
import parts  # noqa: E402

FLICKR = 250
VIEWS = ("whole", "160 pixels", "disturbed")
FIGURES = ("apart", "matched", "large", parts.NEW, "no faces: stylegan2",
           "no faces: stable-diffusion-3", "within faces")
NOTE = ("Area under the curve with 95 % intervals (bootstrap of scenes and photographs). Apart: "
        "generator, scene and photographs' source new to the head. Matched: the same, each AI picture "
        "against photographs of a like caption. Large: of that, generators whose pictures were born "
        "large. Source new: matched, by a head that saw nothing of the AI pictures' "
        "source either, faces alone. No faces: a head that saw no faces. Within faces: other pictures "
        "of the same sources.")


def photographs(args):
    """Rows of flickr8k dev, the first FLICKR of them, and coco_boxes."""
    with open(args.data / "flickr8k" / "captions.csv", newline="", encoding="utf-8") as f:
        names = list(dict.fromkeys(r["image"] for r in csv.DictReader(f) if r["split"] == "dev"))
    files = [("flickr8k", args.data / "flickr8k" / "images" / n) for n in names[:FLICKR]]
    files += [("coco_boxes", p) for p in sorted((args.data / "coco_boxes").glob("*2017/*.jpg"))]
    return [{"path": str(path), "label": "real", "generator": source, "source": source,
             "split": "train", "prompt": ""} for source, path in files]


def read(args, rows, view):
    """What read.py holds of these pictures."""
    paths = "\n".join(r["path"] for r in rows)
    key = common.digest_text(paths, view, common.stages_digest(args.pack),
                             *((HERE / n).read_text("utf-8") for n in ("read.py", "views.py")))[:16]
    out = args.out / "work" / f"evidence-{view.replace(' ', '-')}-{key}.npz"
    if not out.exists():
        names = out.with_suffix(".txt")
        names.write_text(paths, encoding="utf-8")
        python = os.environ.get("RECIPES_PYTHON", sys.executable)
        done = subprocess.run([python, HERE / "read.py", args.pack, names, view, out,
                               str(args.threads)])
        if done.returncode:
            raise common.Refused(f"read.py failed with {python}; RECIPES_PYTHON names a Python with "
                                 "the packages of recipes/requirements.txt")
    with np.load(out) as file:
        return {name: file[name].astype(np.float64) for name in file.files}


def measure(r, text, name, features, strength, **more):
    figures = parts.with_intervals(r, parts.scores(r, features, strength, **more), text)
    print(f"  {name}: " + ", ".join(f"{n} {v[0]:.3f}" for n, v in figures.items()), flush=True)
    return figures


def disturbances(found):
    """The grid's mean where pictures change: (name, features, options of parts.scores())."""
    whole, other = found["whole"]["layers"], found["disturbed"]["layers"]
    return [("as they are", whole, {}),
            ("disturbed copies trained on too", whole, {"beside": (other,)}),
            ("tested on disturbed ones", whole, {"tested": other}),
            ("tested on disturbed ones, copies trained on too", whole,
             {"beside": (other,), "tested": other}),
            ("trained and tested at 160 pixels", found["160 pixels"]["layers"], {})]


def table(name, results, note=NOTE):
    short = [f.replace("stable-diffusion-3", "SD 3").replace("stylegan2", "StyleGAN 2") for f in FIGURES]
    return common.table([name, *short], [[key, *(of[f] for f in FIGURES)] for key, of in results.items()],
                        note)


def main():
    args = common.arguments(__doc__, threads=2)
    train = common.load_manifest(args, split="train")
    rows = train + photographs(args)
    found = {view: read(args, rows, view) for view in VIEWS}
    r, whole = parts.Rows(rows), found["whole"]
    text = whole["text"]
    of_words = {name: measure(r, text, name, *more) for name, *more in ideas.words(whole, r.ai)}
    of_pictures = {name: measure(r, text, name, *more) for name, *more in ideas.pictures(whole, r.ai)}
    disturbed = {name: measure(r, text, name, features, 3, **more)
                 for name, features, more in disturbances(found)}
    result = {"words": of_words, "pictures": of_pictures, "disturbed": disturbed}
    common.write(args, __file__, "evidence", result, {
        "evidence-words": table("from words", of_words),
        "evidence-pictures": table("from the picture", of_pictures),
        "evidence-disturbed": table("the grid's mean", disturbed)})


if __name__ == "__main__":
    main()

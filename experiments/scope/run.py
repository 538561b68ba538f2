# SPDX-License-Identifier: Apache-2.0
"""Pictures that are neither photographs nor AI pictures: does the program say so?

run.py [--each 50] [--photographs 250]

At least 50 of each kind are drawn (kinds.py), half saved as PNG and half as JPEG, and checked; so
are ordinary photographs, which must not be called out of scope. Night shots and filters are made of
photographs of coco_boxes/train2017; none of these is among the ordinary ones.
"""
import csv
import json
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "robustness")]
import common  # noqa: E402
import kinds  # noqa: E402
import measure  # noqa: E402

CHANGED = ("night", "filter")  # kinds that are made of photographs


def photographs_for(args, kind, index):
    if kind not in CHANGED:
        return None
    files = sorted((args.data / "coco_boxes" / "train2017").glob("*.jpg"))
    if not files:
        raise common.Refused(f"{args.data}: has no coco_boxes/train2017, which {kind} is made of")
    with Image.open(files[index % len(files)]) as picture:
        return picture.convert("RGB")


def draw_kind(args, kind):
    """Files of one kind, made once."""
    folder = args.out / "work" / f"scope-{common.digest_files(HERE / 'kinds.py')[:12]}" / kind
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{i:03d}.{'jpg' if i % 2 else 'png'}" for i in range(args.each)]
    for i, file in enumerate(files):
        if not file.exists():
            picture = kinds.make(kind, i, photographs_for(args, kind, i))
            part = file.with_name("part." + file.name)
            picture.save(part, **({"quality": 70 + i * 7 % 25} if i % 2 else {}))
            part.rename(file)
    return files


def flickr(args, split):
    with open(args.data / "flickr8k" / "captions.csv", newline="", encoding="utf-8") as f:
        names = dict.fromkeys(r["image"] for r in csv.DictReader(f) if r["split"] == split)
    return [args.data / "flickr8k" / "images" / n for n in names]


def ordinary(args):
    """Ordinary photographs by name of their set; imagenet and realorfake are of dev."""
    rows = [r for r in common.load_manifest(args, split="dev") if r["label"] == "real"]
    sets = {"Flickr8k dev": flickr(args, "dev"), "Flickr8k test": flickr(args, "test"),
            "coco_boxes val2017, native size": sorted((args.data / "coco_boxes" / "val2017").glob("*.jpg"))}
    for source in sorted({r["source"] for r in rows}):
        sets[f"{source} (dev)"] = [Path(r["path"]) for r in rows if r["source"] == source]
    step = {n: max(1, len(files) // args.photographs) for n, files in sets.items()}
    return {n: files[::step[n]] for n, files in sets.items()}


def ask(args, name, files):
    """Verdict and reason of each file, kept for the next run."""
    key = common.digest_text(common.pack_digest(args.pack), common.version(args), *map(str, files))[:16]
    kept = args.out / "work" / f"scope-{name.replace(' ', '-').replace('/', '-')}-{key}.json"
    if not kept.exists():
        answers = common.answers(args, "check", files, "--threshold", "fpr5")
        failed = [a for a in answers if "error" in a]
        if failed:
            raise common.Refused(f"{len(failed)} pictures failed, such as {failed[0]['error']['message']}")
        part = kept.with_suffix(".part")
        part.write_text(json.dumps([[a["verdict"], a["reason"]["code"]] for a in answers]))
        part.replace(kept)
    return json.loads(kept.read_text())


def figures(said):
    n = len(said)
    return {"unsure": measure.share(sum(v == "unsure" for v, _ in said), n),
            "out_of_scope": measure.share(sum(r == "out_of_scope" for _, r in said), n),
            "ai": measure.share(sum(v == "ai" for v, _ in said), n),
            "caption_unreliable": measure.share(sum(r == "caption_unreliable" for _, r in said), n)}


def row(name, f):
    return [name, f["unsure"]["of"], f["unsure"]["share"],
            [f["out_of_scope"]["share"], *f["out_of_scope"]["interval"]], f["caption_unreliable"]["share"],
            f["ai"]["share"]]


COLUMNS = ["pictures", "number", "`unsure`", "`out_of_scope`", "`caption_unreliable`",
           "called `ai` at `fpr5`"]


def main():
    args = common.arguments(__doc__, each=50, photographs=250)
    neither = {kind: figures(ask(args, kind, draw_kind(args, kind))) for kind in kinds.KINDS}
    photographs = {name: figures(ask(args, name, files)) for name, files in ordinary(args).items()}
    tables = {"scope": common.table(COLUMNS, [row(k + (" (rule chosen on it)" if k in kinds.TUNED_ON else ""), f)
                                              for k, f in neither.items()]),
              "scope-photographs": common.table(COLUMNS, [row(k, f) for k, f in photographs.items()])}
    print(common.write(args, __file__, "scope", {"neither": neither, "photographs": photographs}, tables,
                       "make robustness"))


if __name__ == "__main__":
    main()

"""Trains the head of the pack with the program `item`, on `detect/` train and photographs of COCO.

python make_head.py              the chosen head, written to the pack
python make_head.py --compare 1  the layouts and penalties it was chosen among, in folds of the same

Features are kept in --cache: a second run trains in seconds. Run it with the pack's weights and
item.json in place (pack_manifest.py --without-head), and pack_manifest.py again afterwards. What
the choice rests on: experiments/evidence/choice.py, with its table in docs/experiments.md.
"""
import csv
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "measure"))
import program  # noqa: E402

LAYOUTS = ("picture/1", "picture/1+difference/global/1", "picture/1+difference/both/1", "difference/global/1",
           "difference/both/1", "cosine/both/1", "layers/1", "layers/1+picture/1")
TRAINED_ON = ("detect/ train: 1,685 AI pictures of 10 generators, 1,594 photographs of 4 sources, 224 pixels; "
              "coco_boxes/train2017: 128 photographs at native size")
COLUMNS = ["path", "label", "generator", "source", "split", "prompt"]


def write_manifest(args, path):
    """detect/ train, and photographs that are neither square nor small beside it."""
    folder = (args.data / "detect").resolve()
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as f:
        rows = [{**r, "path": str(folder / r["path"])} for r in csv.DictReader(f) if r["split"] == "train"]
    for picture in sorted((args.data / "coco_boxes" / "train2017").resolve().glob("*.jpg")):
        rows.append({"path": str(picture), "label": "real", "generator": "photo", "source": "coco_boxes",
                     "split": "train", "prompt": ""})
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def features(args):
    """Resumes where it was stopped; nothing runs twice."""
    cache = Path(args.cache)
    manifest, out = cache / "head_train.csv", cache / "head_train.safetensors"
    if not out.exists():
        write_manifest(args, manifest)
        subprocess.run([str(args.item), "features", str(manifest), "--pack", str(args.pack),
                        "--out", str(out)], check=True)
    return out


def train(args, out, *options):
    """The report of one training."""
    line = [str(args.item), "train", str(features(args)), "--json", "--out", str(out),
            "--hidden", "0", "--threshold-rule", "worst-source", "--trained-on", TRAINED_ON, *options]
    return json.loads(subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout)


def compare(args):
    for layout in LAYOUTS:
        for penalty in ("1", "7.5", "30"):
            report = train(args, Path(args.cache) / "try.safetensors", "--layout", layout,
                           "--penalty", penalty)
            print(f"{layout:28} penalty {penalty:4} {json.dumps(headline(report))}", flush=True)


def headline(report):
    """Within sources of both labels, on pictures whose source, generator and prompt were held out."""
    within = report["headline"]
    return {"auc": within["auc"], "interval": within["auc_interval"], "sources": within["sources"],
            "mixed_auc": report["mixed"]["auc"], "unsure": report["verdicts"]["unsure"]}


def main():
    args = program.arguments(__doc__, cache="../recipes-cache", layout="picture/1+difference/global/1",
                             penalty="7.5", compare=0)
    Path(args.cache).mkdir(parents=True, exist_ok=True)
    if args.compare:
        return compare(args)
    report = train(args, args.pack / "head.safetensors", "--layout", args.layout,
                   "--penalty", args.penalty)
    print(json.dumps(headline(report), indent=1))


if __name__ == "__main__":
    main()

"""Trains the head of the pack with the program `item`, on `detect/` train alone.

python make_head.py              the chosen head, written to the pack
python make_head.py --compare 1  every layout and some sizes, in folds of train: what it was chosen by

Vectors are kept in --cache: a second run trains in seconds. Run it with the pack's weights and
item.json in place (pack_manifest.py --without-head), and pack_manifest.py again afterwards.
"""
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "measure"))
import program  # noqa: E402

FORMS, SCOPES, HIDDEN = ("difference", "product", "cosine"), ("global", "local", "both"), ("0", "16")
TRAINED_ON = "detect/ train: 1,685 AI pictures of 10 generators, 1,594 photographs of 4 sources, 224 pixels"


def run(args, out, *options):
    """The report of one training."""
    vectors = Path(args.cache) / "detect_train.safetensors"
    line = [str(args.item), "train", "--json", "--pack", str(args.pack), "--out", str(out),
            "--trained-on", TRAINED_ON, *options]
    line += [str(vectors)] if vectors.exists() else [
        "--split", "train", "--save", str(vectors), str(args.data / "detect" / "manifest.csv")]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def compare(args):
    for form in FORMS:
        for scope in SCOPES:
            for hidden in HIDDEN:
                layout = f"{form}/{scope}/1"
                report = run(args, Path(args.cache) / "try.safetensors", "--layout", layout,
                             "--hidden", hidden)
                print(f"{layout:22} hidden {hidden:3} {json.dumps(headline(report))}", flush=True)


def headline(report):
    """Within sources of both labels, on pictures whose source, generator and prompt were held out."""
    within = report["headline"]
    return {"auc": within["auc"], "interval": within["auc_interval"], "sources": within["sources"],
            "ap": within["ap"], "mixed_auc": report["mixed"]["auc"],
            "unsure": report["verdicts"]["unsure"]}


def main():
    args = program.arguments(__doc__, cache="../recipes-cache", layout="difference/both/1",
                             hidden="16", compare=0)
    Path(args.cache).mkdir(parents=True, exist_ok=True)
    if args.compare:
        return compare(args)
    report = run(args, args.pack / "head.safetensors", "--layout", args.layout, "--hidden", args.hidden)
    print(json.dumps(headline(report), indent=1))


if __name__ == "__main__":
    main()

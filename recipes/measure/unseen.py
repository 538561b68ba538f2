"""The verdict on the six paired sources of detect/dev that nothing was trained or calibrated with.

Prints the report of `item eval` (Markdown) at a threshold; with --write 1 it also writes the two
sentences that `make demo` closes with, packs/small/heldout.txt.
"""
import csv
import json
import subprocess
import tempfile
from pathlib import Path

import program

SOURCES = ("ML72", "brockwebb", "declan60", "dexer40", "gduteaud_cars", "kaivalya")


def write_manifest(args, path):
    """The rows of these sources, with absolute paths."""
    folder = (args.data / "detect").resolve()
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as f:
        reader = csv.DictReader(f)
        rows = [r for r in reader if r["split"] == "dev" and r["source"] in SOURCES]
        names = reader.fieldnames
    for r in rows:
        r["path"] = str(folder / r["path"])
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, names)
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def evaluate(args, pictures, *options):
    line = [str(args.item), "eval", str(pictures), "--pack", str(args.pack),
            "--threshold", args.threshold, *options]
    return subprocess.run(line, stdout=subprocess.PIPE, check=True, text=True).stdout


def sentences(report, count):
    v = report["verdicts"]
    called = [v["photographs_called"], v["ai_called"]]
    decided = sum(c["real"] + c["ai"] for c in called)
    right = called[0]["real"] + called[1]["ai"]
    if decided == 0:
        how_good = "As it decided none, nothing is known of how often it is right when it does"
    elif decided < 30:
        how_good = (f"Where it did decide it was right {right} of {decided} times, "
                    "too few to say how often that is")
    else:
        how_good = f"Where it did decide it was right {right} of {decided} times ({right / decided:.0%})"
    return (f"Of {count} pictures of {len(SOURCES)} sources it answered `unsure` for "
            f"{100 * v['unsure']:.1f} %.\n"
            f"{how_good}; it called {called[0]['ai']} of {sum(called[0].values())} photographs `ai`.\n")


def main():
    args = program.arguments(__doc__, threshold="fpr1", write=0)
    with tempfile.TemporaryDirectory() as name:
        manifest, vectors = Path(name) / "unseen.csv", Path(name) / "unseen.safetensors"
        count = write_manifest(args, manifest)
        print(evaluate(args, manifest, "--save", str(vectors)))
        report = json.loads(evaluate(args, vectors, "--json"))
    text = sentences(report, count)
    print(text)
    if args.write:
        (args.pack / "heldout.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

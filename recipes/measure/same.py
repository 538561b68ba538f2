"""Does a picture get the same answer alone, in a batch, from 4 threads, in C and by the program?

Probabilities must agree within 1e-4 and verdicts must be equal, except where the caption's
margin or the distance to a threshold is below 1e-3; such pictures are counted.
"""
import json
import subprocess
from pathlib import Path

import program


def from_c(args, files, threads):
    """Answers of examples/threads.c, one call a picture, from some threads."""
    line = [str(args.item.parent.parent / "examples" / "example-threads"), str(args.pack),
            str(threads), *map(str, files)]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=False)
    return [json.loads(row) for row in done.stdout.splitlines()]


def close(row):
    """Whether this picture is one of those about which nothing is promised."""
    edges = [row["threshold"]["score"], row["threshold"]["real_below"]]
    near = min(abs(row["score"] - e) for e in edges if e is not None)
    return min(near, row["caption_margin"]) < 1e-3


def compare(name, rows, others):
    worst = wrong = excused = 0
    for a, b in zip(rows, others, strict=True):
        if "error" in a or "error" in b:
            wrong += ("error" in a) != ("error" in b)
            continue
        away = abs(a["probability"] - b["probability"])
        if away > 1e-4 or a["verdict"] != b["verdict"]:
            excused += close(a)
            wrong += not close(a)
        else:
            worst = max(worst, away)
    print(f"{name}: {wrong} differ, {excused} differ with a margin below 1e-3, "
          f"largest other difference {worst:.1e}")
    return wrong


def main():
    args = program.arguments(__doc__, folder=None, most="200")
    folder = Path(args.folder) if args.folder else args.data / "coco_boxes" / "val2017"
    files = sorted(folder.glob("**/*.jpg"))[:int(args.most)]
    alone = program.item(args, "check", files, "--batch", "1")
    near = sum(close(r) for r in alone if "error" not in r)
    print(f"{len(files)} pictures, {near} of them with a margin or distance below 1e-3")
    wrong = compare("program, batches of 8", alone, program.item(args, "check", files, "--batch", "8"))
    for threads in (1, 4):
        wrong += compare(f"C, {threads} threads", alone, from_c(args, files, threads))
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()

"""Does a picture get the same answer whatever the batch, threads, lanes, callers and kernels?

Every setting answers all pictures in a process of its own and is compared with the first, one
picture at a time on one thread. The promise: in fp32, where fingerprints are equal, verdicts are
equal, unless the caption's margin or the distance of the score to a threshold is below 1e-3.

A head that answers `unsure` for nearly all of them makes that an easy test, so it is repeated with
points that do decide (`ai` above 95 % of the scores, `real` below half of them), and a picture
whose score moves by 1e-3 is told, because some head's threshold would lie between. Ends with 1
where the promise is broken, or such a picture is seen.

Answers are kept in the folder --out, so that a run that was stopped goes on where it was.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import program

NEAR = 1e-3  # of a margin, or between score and threshold: nothing is promised
MOVED = 1.0  # pixels by which a corner may differ before the objects are called different

ALONE = {"batch": 1, "lanes": 1, "threads": 1, "callers": 1}
# Kernels of lower classes: oneDNN's, ATen's, OpenBLAS's and MKL's switches in turn.
SWITCHES = ("DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE",
            "MKL_ENABLE_INSTRUCTIONS")
CLASSES = {"AVX2": ("AVX2", "avx2", "Haswell", "AVX2"),
           "AVX": ("AVX", "default", "Sandybridge", "AVX"),
           "SSE4": ("SSE41", "default", "Nehalem", "SSE4_2")}


def counts(name, *values, **more):
    return {f"{name} {v}": {**ALONE, **more, name: v} for v in values}


def options_of(quick):
    """Name: options of same-answers."""
    if quick:  # few processes, because starting them takes the time
        mixed = ({}, {"batch": 4, "threads": 2}, {"batch": 16, "threads": 4},
                 {"lanes": 2, "threads": 2, "callers": 8})
        return {", ".join(f"{k} {v}" for k, v in m.items()) or "alone": {**ALONE, **m}
                for m in mixed}
    return {"alone": ALONE, **counts("batch", 2, 4, 8, 16), **counts("threads", 2, 3, 4),
            **counts("lanes", 2, 3, 4, callers=4), **counts("callers", 2, 4, 8),
            "batch 4, lanes 2, threads 2, callers 8":
                {"batch": 4, "lanes": 2, "threads": 2, "callers": 8}}


def settings(quick, precision):
    """Name: options of same-answers, and the environment."""
    every = {name: ({**options, "precision": precision}, {})
             for name, options in options_of(quick).items()}
    if not quick and precision == "fp32":
        every["precision auto"] = ({**ALONE, "precision": "auto"}, {})
    lower = {f"{c} kernels": dict(zip(SWITCHES, values)) for c, values in CLASSES.items()}
    if quick:
        lower = {"SSE4 kernels": lower["SSE4 kernels"]}
    else:
        lower |= {f"{k}={v}": {k: v} for k, v in list(lower["SSE4 kernels"].items())[:3]}
    return every | {name: (every["alone"][0], env) for name, env in lower.items()}


# ---- answers ----

def answers(args, files, options, env):
    words = [f"{k}={v}" for k, v in {**options, "pack": args.pack}.items()]
    folder = args.item.resolve().parent.parent / "tests" / "same"
    line = [str(folder / "same-answers"), *words, "--", *map(str, files)]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=False, env={**os.environ, **env})
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    if done.returncode or len(rows) != len(files):
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}, {len(rows)} answers "
                         f"for {len(files)} pictures")
    return rows


def known_rows(path, files):
    known = json.loads(path.read_text(encoding="utf-8"))
    if known["files"] != [str(f) for f in files]:
        raise SystemExit(f"{path}: answers of other pictures; give another folder")
    return known["rows"]


def kept(out, name, files, make):
    """The rows of a setting: from the folder, or made and put there."""
    path = out / (name.replace(" ", "-").replace(",", "") + ".json") if out else None
    if path and path.exists():
        return known_rows(path, files)
    rows = make()
    if path:
        half = path.with_suffix(".part")
        half.write_text(json.dumps({"files": [str(f) for f in files], "rows": rows}),
                        encoding="utf-8")
        half.rename(path)
    return rows


# ---- comparing ----

def points_of(row):
    """The thresholds of an answer."""
    t = row.get("threshold") or {}
    return [p for p in (t.get("score"), t.get("real_below")) if p is not None]


def is_near(row, points):
    """Whether nothing is promised about an answer."""
    return (row["caption_margin"] < NEAR or
            any(abs(row["score"] - p) < NEAR for p in points))


def decided(score, points):
    ai, real = points
    return "ai" if score >= ai else "real" if score < real else "unsure"


def deciding_points(rows):
    """Above 95 %, and above half of the scores; between two, as one itself would be near."""
    scores = sorted(r["score"] for r in rows)
    def above(share):
        i = min(max(int(share * len(scores)), 1), len(scores) - 1)
        return (scores[i - 1] + scores[i]) / 2
    return above(0.95), above(0.5)


def same_objects(a, b):
    def corners(row):
        return [c for o in row["objects"] for c in o["box"]]
    return ([o["phrase"] for o in a["objects"]] == [o["phrase"] for o in b["objects"]] and
            all(abs(x - y) < MOVED for x, y in zip(corners(a), corners(b))))


def judge(rows, others):
    """Compares the answers of a setting with those of the first; one row of the table."""
    pairs = [(a, b) for a, b in zip(rows, others, strict=True) if "error" not in a]
    told = [(a, b) for a, b in pairs if "error" not in b]
    points = deciding_points([a for a, _ in told])
    apart = [(a, b) for a, b in told if a["verdict"] != b["verdict"]]
    apart_decided = [(a, b) for a, b in told
                     if decided(a["score"], points) != decided(b["score"], points)]
    calm = [(a, b) for a, b in told if a["caption_margin"] >= NEAR]
    return {
        "pictures": len(pairs),
        "fingerprints": sum(a["fingerprint"] == b["fingerprint"] for a, b in told),
        "fp32": sum(a["precision"] == "fp32" for a, _ in told),
        "captions": sum(a["caption"] != b["caption"] for a, b in told),
        "captions_near": sum(a["caption"] != b["caption"] and a["caption_margin"] < NEAR
                             for a, b in told),
        "objects": sum(not same_objects(a, b) for a, b in told),
        "objects_near": sum(not same_objects(a, b) and a["caption_margin"] < NEAR
                            for a, b in told),
        "verdicts": len(apart),
        "verdicts_decided": len(apart_decided),
        "probability": max((abs(a["probability"] - b["probability"]) for a, b in calm), default=0),
        "score": max((abs(a["score"] - b["score"]) for a, b in calm), default=0),
        "margin": max((abs(a["caption_margin"] - b["caption_margin"]) for a, b in told
                       if a["caption"] == b["caption"]), default=0),
        "moved": sum(abs(a["score"] - b["score"]) >= NEAR for a, b in calm),
        "lost": sum(("error" in a) != ("error" in b) for a, b in zip(rows, others)),
        "broken": sum(not is_near(a, points_of(a)) for a, _ in apart) +
                  sum(not is_near(a, points) for a, _ in apart_decided),
    }


def is_promised(row):
    """Whether anything is promised: all fingerprints are equal, and all answers are in fp32."""
    return row["fingerprints"] == row["fp32"] == row["pictures"]


def is_held(row):
    return row["broken"] == row["moved"] == row["lost"] == 0


# ---- telling ----

HEAD = ("setting", "same fingerprint", "captions differ", "objects differ", "verdicts differ",
        "with points that decide", "largest difference of probability", "of score", "of margin",
        "promise")


def line(name, row):
    def of_these(what):
        near = f" ({row[what + '_near']} near)" if row[what] else ""
        return f"{row[what]}{near}"
    promise = ("held" if is_held(row) else "BROKEN") if is_promised(row) else "none"
    same = row["fingerprints"] == row["pictures"]
    cells = (name, "yes" if same else "no", of_these("captions"), of_these("objects"),
             row["verdicts"], row["verdicts_decided"], f"{row['probability']:.1e}",
             f"{row['score']:.1e}", f"{row['margin']:.1e}", promise)
    return "| " + " | ".join(str(c) for c in cells) + " |"


def tell_machine(args):
    """What the table was made on, as `item doctor` says it."""
    said = subprocess.run([str(args.item), "doctor", "--pack", str(args.pack)],
                          stdout=subprocess.PIPE, text=True, check=False).stdout
    wanted = ("libitem", "engine", "BLAS", "processor", "features", "bf16")
    for row in said.splitlines():
        if row.split(" ")[0] in wanted:
            print(f"    {row}")
    print(flush=True)


def pictures(args):
    """Of the folder; without one the repository's, and photographs where the data are."""
    folders = [Path(args.folder)] if args.folder else [
        program.REPO / "examples" / "pictures", args.data / "coco_boxes" / "val2017"]
    files = sorted(f for folder in folders for f in folder.glob("**/*")
                   if f.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not files:
        raise SystemExit(f"{args.folder}: no pictures")
    return files[:int(args.most)]


def main():
    args = program.arguments(__doc__, folder=None, most="100000", out=None, precision="fp32",
                             quick=False, other=None)
    files = pictures(args)
    out = Path(args.out) if args.out else None
    if out:
        out.mkdir(parents=True, exist_ok=True)
    tell_machine(args)
    every = settings(args.quick, args.precision)
    base = kept(out, "alone", files, lambda: answers(args, files, *every["alone"]))
    near = sum(r["caption_margin"] < NEAR for r in base if "error" not in r)
    print(f"{len(files)} pictures, {near} of them with a caption's margin below {NEAR:g} (near)\n")
    print("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|", flush=True)
    table = {}
    for name, (options, env) in list(every.items())[1:]:
        rows = kept(out, name, files, lambda: answers(args, files, options, env))
        table[name] = judge(base, rows)
        print(line(name, table[name]), flush=True)
    if args.other:
        table["other engine"] = judge(base, known_rows(Path(args.other) / "alone.json", files))
        print(line("other engine", table["other engine"]))
    if out:
        (out / "table.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    promised = [row for row in table.values() if is_promised(row)]
    held = sum(is_held(row) for row in promised)
    print(f"\nthe promise held in {held} of the {len(promised)} rows that it is made for")
    sys.exit(held < len(promised))


if __name__ == "__main__":
    main()

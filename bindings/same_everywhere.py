#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same pictures through C, the program, Python, Go and Dask: do they answer alike?

usage: same_everywhere.py FOLDER [--pictures 200] [--batch 8]

On what is built in build/release and installed below build/prefix (bindings/go/go.sh sees to both).
Way after way, each answers all pictures and is compared with C: fingerprints must be equal,
probabilities within 1e-6 (same batches and threads), or 1e-4 where a batch is put together in
another way (Dask); captions and verdicts equal but where the promise of the fingerprint ends: a
margin of the caption below 1e-3. Prints a line a way and exits 1 when one of them breaks that.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
PREFIX = ROOT / "build" / "prefix"
PYTHON = ROOT / "build" / "python-venv" / "bin" / "python"
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif"}
MARGIN = 1e-3

BY_PYTHON = """
import sys, libitem
with libitem.open(batch=int(sys.argv[1])) as ctx:
    for result in ctx.check_many(sys.argv[2:]):
        print(result.json)
"""
BY_DASK = """
import sys, dask.bag
import libitem.dask
if __name__ == "__main__":
    from dask.distributed import Client, LocalCluster
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True) as cluster, Client(cluster):
        libitem.dask.check(dask.bag.from_sequence(sys.argv[3:], npartitions=8), sys.argv[1],
                           batch=int(sys.argv[2]))
"""


def library():
    return next(PREFIX.glob("lib/*/libitem.so.*"))


def environment():
    engine = BUILD / "lib" / "backends" / "torch" / "libitem-torch.so"  # the installed ask nobody
    return {**os.environ, "LIBITEM_LIBRARY": str(library()), "ITEM_ENGINE_PATH": str(engine),
            "PYTHONPATH": str(ROOT / "bindings" / "python" / "src")}


def told(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, env=environment(),
                          check=False, **more)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines() if line[:1] == "{"]
    if not lines:
        sys.exit(f"{command[0]}: {done.stderr.decode()[-500:]}")
    return {line.get("file") or line["path"]: line for line in lines}


def by_c(files, batch):
    program = BUILD / "tests" / "same" / "same-answers"
    return told(program, f"batch={batch}", f"pack={ROOT / 'packs' / 'small'}", "--", *files)


def by_program(files, batch):
    return told(PREFIX / "bin" / "item", "check", "--json", "--batch", batch, *files)


def by_python(files, batch):
    return told(PYTHON, "-c", BY_PYTHON, batch, *files)


def by_go(files, batch):
    return told(ROOT / "bindings" / "go" / "go.sh", "run", "./examples/check", "-batch", batch, *files)


def by_dask(files, batch):
    with tempfile.TemporaryDirectory() as work:
        script = Path(work) / "by_dask.py"  # workers are spawned, and read it again
        script.write_text(BY_DASK)
        out = Path(work) / "out"
        subprocess.run([PYTHON, script, out, str(batch), *files], env=environment(), check=True,
                       capture_output=True)
        rows = told(PYTHON, "-m", "libitem.dask", "lines", out, cwd=work)
    return {name: row["answer"] for name, row in rows.items()}


def compare(one, other, most):
    """(fingerprints that differ, largest difference, answers that differ, how many are excused)"""
    prints = difference = differ = excused = 0
    for name, a in one.items():
        b = other.get(name)
        if b is None or ("error" in a) != ("error" in b):
            differ += 1
        elif "error" not in a:
            prints += a["fingerprint"] != b["fingerprint"]
            apart = abs(a["probability"] - b["probability"])
            if (a["caption"], a["verdict"]) != (b["caption"], b["verdict"]) or apart > most:
                excused += a["caption_margin"] < MARGIN
                differ += a["caption_margin"] >= MARGIN
            else:
                difference = max(difference, apart)
    return prints, difference, differ, excused


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--batch", type=int, default=8)
    args = parser.parse_args()
    files = sorted(str(p.resolve()) for p in args.folder.rglob("*") if p.suffix.lower() in ENDINGS)
    files = files[:args.pictures]
    reference, bad = by_c(files, args.batch), 0
    print(f"C: {len(reference)} answers")
    ways = {"program": (by_program, 1e-6), "Python": (by_python, 1e-6), "Go": (by_go, 1e-6),
            "Dask": (by_dask, 1e-4)}
    for name, (ask, most) in ways.items():
        answers = ask(files, args.batch)
        prints, difference, differ, excused = compare(reference, answers, most)
        bad += prints + differ
        print(f"{name}: {len(answers)} answers, {prints} fingerprints differ, probabilities by "
              f"{difference:.1g} at most, {differ} answers differ, {excused} more within the promise")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scan that is killed at random moments against one that is not, with a real pack.

usage: scan_killed.py ITEM FOLDER [--kills 20] [--pictures 2000] [--seed 1]

Takes the first pictures below the folder (sorted), scans them once in one go and once killed again
and again, and compares everything that both indexes say but the times. Prints figures; exits 1 when
something differs. With the small pack on two cores 2,000 pictures take some 20 minutes.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif"}


def scan(item, index, folder):
    return [item, "scan", "--index", str(index), "--json", str(folder)]


def rows(item, index):
    told = subprocess.run([item, "find", "--index", str(index), "--json"], capture_output=True,
                          check=True).stdout.decode()
    answers = [json.loads(line) for line in told.splitlines()]
    for answer in answers:
        answer.pop("timings_ms")
    return {answer["file"]: answer for answer in answers}


def differences(a, b, where=""):
    """What differs; numbers by more than 1e-4, boxes by a tenth of a pixel: batches are others after
    a kill, and sums in another order have other last digits."""
    if isinstance(a, float) and isinstance(b, float):
        close = abs(a - b) <= (0.1 if "box" in where else 1e-4 * max(1, abs(a)))
        return [] if close else [f"{where}: {a} {b}"]
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [d for k in a for d in differences(a[k], b[k], f"{where}.{k}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{where}[{i}]")]
    return [] if a == b else [f"{where}: {a} {b}"]


def killed_scans(item, index, folder, kills, duration):
    """How many of the scans were really killed; each goes on where the last one was."""
    count = 0
    for _ in range(kills):
        with subprocess.Popen(scan(item, index, folder), stdout=subprocess.DEVNULL) as running:
            try:
                running.wait(random.uniform(0, duration / kills))
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("item")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        found = sorted(p for p in args.folder.rglob("*") if p.suffix.lower() in ENDINGS)
        (work / "pictures").mkdir()
        for i, path in enumerate(found[:args.pictures]):
            shutil.copy2(path, work / "pictures" / f"{i:05}{path.suffix}")
            os.utime(work / "pictures" / f"{i:05}{path.suffix}", (1700000000, 1700000000))
        start = time.monotonic()
        subprocess.run(scan(args.item, work / "whole", work / "pictures"), check=False,
                       stdout=subprocess.DEVNULL)
        duration = time.monotonic() - start
        count = killed_scans(args.item, work / "killed", work / "pictures", args.kills, duration)
        last = subprocess.run(scan(args.item, work / "killed", work / "pictures"), check=False,
                              capture_output=True).stdout.decode()
        whole, killed = rows(args.item, work / "whole"), rows(args.item, work / "killed")
    differ = {f: differences(whole.get(f), killed.get(f)) for f in whole.keys() | killed.keys()}
    differ = {f: said for f, said in differ.items() if said}
    for f, said in differ.items():
        margin = whole.get(f, {}).get("caption_margin")
        print(f"{Path(f).name} (caption's margin {margin}): {'; '.join(said)}")
    most = max((abs(whole[f]["probability"] - killed[f]["probability"]) for f in whole
                if f in killed and whole[f]["probability"] is not None), default=0)
    print(f"{len(whole)} pictures; {count} of {args.kills} scans killed; the last one: {last.strip()}")
    print(f"{len(differ)} differ; largest difference of a probability {most:.2g}")
    return int(bool(differ) or not whole)


if __name__ == "__main__":
    sys.exit(main())

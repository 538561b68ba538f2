#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench-models`: full-size models, this library, the reference and ONNX Runtime in turn.

usage: models.py [--rounds N] [--row TEXT]... [--program FILE] [--work FOLDER] [--bf16]

Each side is a process that keeps its model open. The sides are asked in turn, round after round,
so that whatever else the machine does meets them alike; what counts is the median of the ratios
within a round. Run it alone on a quiet machine.
"""
import argparse
import glob
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import environment  # noqa: E402

WARM = 2
REST = 0.5  # seconds before each turn: threads of the side before still wait for work, and spin
# name, model, family, line to send, sides beside ours
ROWS = [
    ("CLIP B/32, picture", "clip-b32", "clip", "images 1", ["default", "best", "onnx"]),
    ("CLIP B/32, 8 pictures", "clip-b32", "clip", "images 8", ["default", "best", "onnx"]),
    ("CLIP B/32, 8 texts", "clip-b32", "clip", "texts 8", ["default", "best"]),
    ("CLIP L/14, picture", "clip-l14", "clip", "images 1", ["best"]),
    ("BLIP base, vision + 1 step", "blip-base", "blip", "caption 1", ["best", "onnx"]),
    ("BLIP base, 20 tokens", "blip-base", "blip", "caption 1", ["default", "best"]),
    ("BLIP large, 20 tokens", "blip-large", "blip", "caption 1", ["best"]),
    ("OWL-ViT B/32, 6 queries", "owlvit-b32", "owlvit", "detect 6", ["default", "best"]),
    ("OWLv2 B/16, 6 queries", "owlv2-b16", "owlv2", "detect 6", ["best"]),
]


def kept_memory():
    """An allocator that keeps what it got: page faults cost the reference up to half its time."""
    for pattern in ("/usr/lib/*/libjemalloc.so.2", "/usr/lib/*/libtcmalloc*.so.*"):
        found = sorted(glob.glob(pattern))
        if found:
            return {"LD_PRELOAD": found[0]}
    return {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
            "MALLOC_TOP_PAD_": str(1 << 28)}


class Process:
    def __init__(self, call, env):
        self.name = call[0]
        self.start = time.perf_counter()
        self.child = subprocess.Popen([str(c) for c in call], env=os.environ | env, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.first = None

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        said = self.child.stdout.readline()
        if not said:
            raise RuntimeError(f"{self.name} ended with {self.child.wait()}")
        if self.first is None:
            self.first = time.perf_counter() - self.start
        return float(said)

    def peak(self):
        """Resident memory at its most, MB; getrusage() would count this process in."""
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if "VmHWM" in line)

    def end(self):
        self.child.stdin.close()
        self.child.wait()


def start(args, row, side, folder, precision):
    tokens = "2" if "1 step" in row[0] else "20"
    threads = str(os.cpu_count() if args.threads is None else args.threads)
    files = [str(f) for f in args.pictures]
    if side == "item":
        return Process([args.program, folder, precision, tokens, *files],
                       environment.run_with(args.installed) or {})
    call = [sys.executable, HERE / "reference_side.py", side, folder, row[2],
            "fp32" if side == "onnx" else precision, tokens, threads, *files]
    return Process(call, kept_memory() if side == "best" else {})


def run(args, row, folder, precision):
    """{side: milliseconds by round}, {side: (seconds to the first answer, peak MB)}."""
    sides = {side: start(args, row, side, folder, precision) for side in ["item", *row[4]]}
    times = {side: [] for side in sides}
    for round_ in range(WARM + args.rounds):
        for side, process in sides.items():
            time.sleep(REST)
            took = process.ask(row[3])
            if round_ >= WARM:
                times[side].append(took)
    facts = {side: (p.first, p.peak()) for side, p in sides.items()}
    for process in sides.values():
        process.end()
    return times, facts


def show(row, precision, times, facts):
    print(f"{row[0]}, {precision}")
    for side, values in times.items():
        ratios = [theirs / ours for theirs, ours in zip(values, times["item"])]
        print(f"    {side:<8} {statistics.median(values):9.1f} ms"
              f"   {statistics.median(ratios):5.2f} times ours"
              f"   peak {facts[side][1]:6.0f} MB", flush=True)


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("--rounds", type=int, default=9)
    parse.add_argument("--row", action="append")
    parse.add_argument("--threads", type=int)
    parse.add_argument("--bf16", action="store_true", help="where the processor has it: always")
    parse.add_argument("--program", type=Path,
                       default=environment.ROOT / "build/release/tests/bench/bench-models")
    parse.add_argument("--installed", type=Path,
                       default=environment.ROOT / "build/prefix/bin/item")
    parse.add_argument("--work", type=Path, default=environment.ROOT / "build/parity")
    args = parse.parse_args()
    environment.enter()
    import models
    import pictures
    args.pictures = pictures.ensure(args.work / "bench-pictures", 8, (480, 360))
    print(f"{os.cpu_count()} cores; medians of {args.rounds} rounds, sides in turn; "
          f"the reference at its best: {kept_memory()}")
    for row in ROWS:
        if args.row and not any(part.lower() in row[0].lower() for part in args.row):
            continue
        folder = models.ensure(args.work / models.version() / "models", row[1])
        precisions = ["fp32", "bf16"] if args.bf16 or environment.native_bf16() else ["fp32"]
        for precision in precisions:
            show(row, precision, *run(args, row, folder, precision))
    return 0


if __name__ == "__main__":
    sys.exit(main())

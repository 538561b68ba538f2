#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench-models`: full-size models, this library, the reference and ONNX Runtime in turn.

usage: models.py [--rounds N] [--row TEXT]... [--program FILE] [--work FOLDER] [--bf16] [--tiny]

Each side is a process that keeps its model open. The sides are asked in turn, round after round,
so that whatever else the machine does meets them alike; what counts is the median of the ratios
within a round. Run it alone on a quiet machine. --tiny takes tiny models, to try the command out.
"""
import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import environment  # noqa: E402
import one_process  # noqa: E402
import sides  # noqa: E402

WARM = 2
REST = 0.5  # seconds before each turn: threads of the side before still wait for work, and spin


@dataclass
class Row:
    name: str
    model: str
    family: str
    line: str         # what each side is asked
    onnx: bool = False
    tokens: int = 20  # length of a caption, as max_length of the reference
    score: str = "0.2"  # the least one of a box, of ours: the reference gives its output


ROWS = [
    Row("CLIP B/32, picture", "clip-b32", "clip", "images 1", onnx=True),
    Row("CLIP B/32, 8 pictures", "clip-b32", "clip", "images 8", onnx=True),
    Row("CLIP B/32, 8 texts", "clip-b32", "clip", "texts 8"),
    Row("CLIP L/14, picture", "clip-l14", "clip", "images 1"),
    Row("BLIP base, vision, keys and values (and a step, but for ONNX)", "blip-base", "blip",
        "caption 1", onnx=True, tokens=2),
    Row("BLIP base, 20 tokens", "blip-base", "blip", "caption 1"),
    Row("BLIP large, 20 tokens", "blip-large", "blip", "caption 1"),
    Row("OWL-ViT B/32, 6 queries", "owlvit-b32", "owlvit", "detect 6"),
    Row("OWLv2 B/16, 6 queries", "owlv2-b16", "owlv2", "detect 6"),
    Row("whole chain, six objects", None, "chain", "check 1", score="0"),
]


def start(args, row, side, folder, precision):
    threads = str(os.cpu_count() if args.threads is None else args.threads)
    files = [str(f) for f in args.pictures]
    if side == "item":
        model = folder / "pack" if row.family == "chain" else folder
        return sides.Process([args.program, model, precision, row.tokens, row.score, *files],
                             environment.run_with(args.installed) or {})
    call = [sys.executable, HERE / "reference_side.py", side, folder, row.family,
            "fp32" if side == "onnx" else precision, row.tokens, threads, *files]
    return sides.Process(call, sides.kept_memory() if side == "best" else {})


def answer_of(row):
    """What each side has to say besides its time."""
    import six_objects
    return six_objects.ANSWER if row.family == "chain" else ""


def run(args, row, folder, precision):
    """{side: milliseconds by round}, {side: peak MB}."""
    names = ["item", "default", "best", "onnx"][:4 if row.onnx else 3]
    asked = {name: start(args, row, name, folder, precision) for name in names}
    times = {name: [] for name in asked}
    for round_ in range(WARM + args.rounds):
        for name, process in asked.items():
            time.sleep(REST)
            took = process.ask(row.line)
            if round_ >= WARM:
                times[name].append(took)
    said = {name: process.said for name, process in asked.items()}
    if set(said.values()) != {answer_of(row)}:
        raise RuntimeError(f"not {answer_of(row)!r} of all sides: {said}")
    peaks = {name: process.memory("VmHWM") for name, process in asked.items()}
    for process in asked.values():
        process.end()
    return times, peaks


def show(row, precision, times, peaks):
    print(f"{row.name}, {precision}")
    for side, values in times.items():
        ratios = [theirs / ours for theirs, ours in zip(values, times["item"])]
        print(f"    {side:<8} {statistics.median(values):9.1f} ms"
              f"   {statistics.median(ratios):5.2f} times ours"
              f"   peak {peaks[side]:6.0f} MB", flush=True)


def folder_of(args, row):
    import models
    import six_objects
    if row.family == "chain":
        return six_objects.ensure(args)
    name = "tiny-" + row.family if args.tiny else row.model
    return models.ensure(args.models, name)


def read_arguments():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    build = environment.ROOT / "build"
    parse.add_argument("--rounds", type=int, default=9)
    parse.add_argument("--row", action="append")
    parse.add_argument("--threads", type=int)
    parse.add_argument("--bf16", action="store_true", help="where the processor has it: always")
    parse.add_argument("--tiny", action="store_true", help="tiny models, to try this out")
    parse.add_argument("--program", type=Path, default=build / "release/tests/bench/bench-models")
    parse.add_argument("--installed", type=Path, default=build / "prefix/bin/item")
    parse.add_argument("--work", type=Path, default=build / "parity")
    return parse.parse_args()


def main():
    args = read_arguments()
    environment.enter()
    import models
    import pictures
    args.models = args.work / models.version() / "models"
    args.pictures = pictures.ensure(args.work / "bench-pictures", 8, (480, 360))
    args.clip = args.models / ("tiny-clip" if args.tiny else "clip-b32")
    print(f"{os.cpu_count()} cores; medians of {args.rounds} rounds, sides in turn; "
          f"the reference at its best: {sides.kept_memory()}")

    def wanted(name):
        return not args.row or any(part.lower() in name.lower() for part in args.row)

    native = args.bf16 or environment.native_bf16()
    for row in filter(lambda row: wanted(row.name), ROWS):
        folder = folder_of(args, row)
        for precision in ["fp32", "bf16"] if native else ["fp32"]:
            show(row, precision, *run(args, row, folder, precision))
    for name, measure in one_process.ROWS.items():
        if wanted(name):
            models.ensure(args.models, args.clip.name)
            print(name)
            measure(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())

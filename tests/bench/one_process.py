# SPDX-License-Identifier: Apache-2.0
"""Rows of `make bench-models` about a process: how soon it answers and ends after a cancel, how
much it holds."""
import statistics
import subprocess
import sys
import time
from pathlib import Path

import environment
import sides

STEP, MOST = 50, 1000  # pictures
ENGINE = "libitem-torch.so"


def open_side(args, files):
    return sides.Process([args.program, args.clip, "fp32", "20", "0.2", *files],
                         environment.run_with(args.installed) or {})


def bare_loading(args):
    """Seconds of a process that loads the engine's operations, libtorch with them, and ends."""
    engine = next(args.installed.resolve().parent.parent.rglob(ENGINE))
    begin = time.perf_counter()
    subprocess.run([args.program.with_name("bench"), "--child", "load", "", engine], check=True,
                   env=environment.run_with(args.installed))
    return time.perf_counter() - begin


def our_answer(args):
    side = open_side(args, args.pictures[:1])
    side.ask("images 1")
    side.end()
    return side.first


def their_answer(args):
    script = Path(__file__).with_name("first_answer.py")
    side = sides.Process([sys.executable, script, args.clip, args.pictures[0]], {})
    side.ask("")
    side.end()
    return side.first


def first_answer(args):
    """From the start of a process to its first vector; the first round fills the file cache."""
    ways = {"bare loading of the engine": bare_loading, "ours": our_answer,
            "reference": their_answer}
    times = {name: [] for name in ways}
    for round_ in range(1 + args.rounds):
        for name, measure in ways.items():
            took = measure(args) * 1e3
            if round_ > 0:
                times[name].append(took)
    for name, values in times.items():
        print(f"    {name:<28} {statistics.median(values):8.0f} ms")
    bare, ours, theirs = times.values()
    above = statistics.median(b - a for a, b in zip(bare, ours))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs))
    print(f"    {'ours above bare loading':<28} {above:8.0f} ms (aim 1000)")
    print(f"    {'reference':<28} {ratio:8.2f} times ours", flush=True)


def growth(args):
    """Pictures of twenty shapes, read from their files one after another."""
    import pictures
    side = open_side(args, pictures.ensure(args.work / "bench-shapes", 20))
    seen = []
    for _ in range(MOST // STEP):
        side.ask(f"files {STEP}")
        seen.append((side.memory("VmRSS"), side.memory("RssAnon")))
    side.end()
    for name, values in zip(("resident", "of it its own memory"), zip(*seen)):
        print(f"    {name:<22} {values[0]:7.1f} MB after {STEP} pictures, {values[-1]:7.1f} after "
              f"{MOST:,}: ratio {values[-1] / values[0]:.3f}", flush=True)


def cancels(args):
    """A call of each kind of model, cancelled at twelve moments."""
    import models
    names = ["tiny-clip"] if args.tiny else ["clip-b32", "blip-base", "owlvit-b32", "owlv2-b16"]
    folders = [models.ensure(args.models, name) for name in names]
    subprocess.run([args.program.with_name("bench-cancel"), *folders], check=True,
                   env=environment.run_with(args.installed))


ROWS = {"cancel": cancels,
        "start to first answer, CLIP B/32": first_answer,
        "memory of 1,000 pictures, CLIP B/32": growth}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an answer costs: by stage, object, view and megapixel, alone and in batches, beside baselines
of one network, in one run; and what cheaper settings lose.

Each side is a process that keeps its model open. The sides are asked in turn, round after round, so
that whatever else the machine does meets them alike; what counts are medians of ratios in a round.
"""
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import metrics  # noqa: E402
import readings  # noqa: E402
import vectors  # noqa: E402

REST = 0.3  # seconds before each turn: threads of the side before still wait for work, and spin
MEGAPIXELS = (1, 4, 12)
BATCH = 8


# ---- sides -------------------------------------------------------------------------------------
class Side:
    def __init__(self, args, **asked):
        asked = {"item": str(args.item), "pack": str(args.pack), "work": str(args.out / "work"), **asked}
        self.pictures = asked.get("count") or len(asked["files"])
        self.child = subprocess.Popen([sys.executable, str(HERE / "side.py"), json.dumps(asked)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.times, self.said = [], []

    def ask(self, keep):
        self.child.stdin.write("go\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise common.Refused(f"a side ended with {self.child.wait()}")
        said = json.loads(line)
        if keep:
            self.times.append(said["ms"] / self.pictures)
            self.said.append(said)

    def peak(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) / 1000 for line in lines if "VmHWM" in line)

    def end(self):
        self.child.stdin.close()
        self.child.wait()


def in_turn(sides, rounds):
    """{name: facts}; ratios are to the first side, within a round."""
    for turn in range(rounds + 1):
        for side in sides.values():
            time.sleep(REST)
            side.ask(turn > 0)
    first, out = next(iter(sides.values())), {}
    for name, side in sides.items():
        ratios = [mine / base for mine, base in zip(side.times, first.times)]
        out[name] = {"ms": statistics.median(side.times), "ratio": statistics.median(ratios),
                     "spread": [min(ratios), max(ratios)], "peak_mb": side.peak()}
        if "stages" in side.said[0]:
            out[name]["stages"] = {k: statistics.median(s["stages"][k] for s in side.said)
                                   for k in side.said[0]["stages"]}
            out[name]["objects"] = statistics.median(s["objects"] for s in side.said)
        side.end()
    return out


# ---- pictures ----------------------------------------------------------------------------------
def sample_pictures(args, count):
    """Photographs of detect/ train for the small sizes: what the pack was calibrated for."""
    rows = common.draw(common.load_manifest(args, split="train"), 2 * count)
    return [r["path"] for r in rows][:count]


def large_picture(args, source, megapixels):
    """A JPEG of so many million pixels, enlarged from a photograph."""
    path = args.out / "work" / f"cost-{megapixels}mp.jpg"
    if not path.exists():
        side = round((megapixels * 1e6) ** 0.5)
        with Image.open(source) as file:
            file.convert("RGB").resize((side, side), Image.Resampling.BICUBIC).save(path, quality=85)
    return str(path)


# ---- tables ------------------------------------------------------------------------------------
def published(args):
    """Places of the models; None where their environment cannot be made."""
    line = [sys.executable, str(HERE / "published.py"), str(args.item), str(args.out / "work" / "published")]
    if args.published:
        return json.loads(Path(args.published).read_text())
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print("cost: no models of published shapes, as their environment could not be made: those rows are left out")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def whole_chain(args, files, models):
    """The chain beside the baselines: one picture at a time, then BATCH of them."""
    width, one, some = common.vector_width(args), files[:1], files[:BATCH]

    def sides(count):
        batch = {"files": some, "batch": BATCH} if count > 1 else {"files": one}
        out = {"the whole chain": Side(args, kind="check", **batch),
               "picture vector and linear head": Side(args, kind="embed", files=some, count=count, width=width),
               "ResNet-50 (ONNX Runtime)": Side(args, kind="resnet", files=some, count=count)}
        if count == 1:
            out["frequencies"] = Side(args, kind="spectrum", files=one)
        if models:
            out["CLIP L/14 and linear head"] = Side(args, kind="embed", files=some, count=count, width=768,
                                                    pack=models["clip-l14"])
            if count == 1:
                out["BLIP base, OWL-ViT, CLIP B/32: six objects"] = Side(
                    args, kind="check", files=[models["picture"]], pack=models["pack"],
                    settings={"detector_score": 0})
        return out

    return {"alone": in_turn(sides(1), args.rounds), f"{BATCH} together": in_turn(sides(BATCH), args.rounds)}


def parts(args, files):
    """Milliseconds of one more view or object in a call, and of a megapixel."""
    width = common.vector_width(args)
    sides = {f"{n} crops": Side(args, kind="embed", files=files[:8], count=n, width=width) for n in (1, 2, 4, 8)}
    for side in sides.values():
        side.pictures = 1  # the time of the whole call
    crops = in_turn(sides, args.rounds)
    sizes = {f"{m} megapixels": Side(args, kind="check", files=[large_picture(args, files[0], m)]) for m in MEGAPIXELS}
    return {"crops": crops, "sizes": in_turn(sizes, args.rounds)}


SETTINGS = {
    "as calibrated": {},
    "greedy": {"beams": 1},
    "4 objects": {"max_objects": 4},
    "1 object": {"max_objects": 1},
    "no detector (--fast)": {"max_objects": 0},
    "greedy, no detector": {"beams": 1, "max_objects": 0},
}


def features(answers, most):
    image, text = (np.stack([a[k] for a in answers]) for k in ("image", "text"))
    objects = [(a["crops"][:most], a["phrases"][:most]) for a in answers]
    return vectors.features("difference", "both" if most else "global", image, text, objects)


def quality(args, rows):
    """Figures of each setting in folds of train. Objects are the best ones, so fewer are the first of them."""
    read = {1: readings.read(args, rows, "greedy", beams=1), None: readings.read(args, rows, "own")}
    keep = [i for i in range(len(rows)) if all(a[i] is not None for a in read.values())]
    kept, found, rival = [rows[i] for i in keep], {}, None
    cases = [(name, [read[s.get("beams")][i] for i in keep], s.get("max_objects", 8)) for name, s in SETTINGS.items()]
    picture = np.stack([read[None][i]["image"] for i in keep])
    for name, values in [*((n, features(a, most)) for n, a, most in cases), ("picture vector alone", picture)]:
        mine = metrics.held_out(values, kept), metrics.apart_scores(values, kept)
        found[name] = {"within": metrics.within_interval(kept, mine[0]), "apart": metrics.apart_interval(kept, mine[1])}
        if rival:
            found[name]["within_difference"] = metrics.within_difference(kept, mine[0], rival[0])
            found[name]["apart_difference"] = metrics.apart_interval(kept, mine[1], rival[1])
        rival = rival or mine
    return found, len(kept)


def cheaper(args, files, rows):
    sides = {name: Side(args, kind="check", files=files[:8], settings=s) for name, s in SETTINGS.items()}
    sides["picture vector alone"] = Side(args, kind="embed", files=files[:8], count=1,
                                         width=common.vector_width(args))
    cost = in_turn(sides, args.rounds)
    found, count = quality(args, rows)
    return {name: {**cost[name], **found[name]} for name in cost}, count


def tables(result, count, rounds):
    note = f"Medians of {rounds} rounds with the sides in turn; ratios within a round, with the least and largest."
    rows = [[name, where, f["ms"], [f["ratio"], *f["spread"]], f["peak_mb"]]
            for where, found in result["chain"].items() for name, f in found.items()]
    chain = common.table(["side", "pictures", "ms a picture", "times the whole chain", "peak MB"], rows,
                         note + " Weights of ResNet-50, CLIP L/14 and of the published chain are random.")
    stages = result["chain"]["alone"]
    names = [n for n in stages["the whole chain"]["stages"]]
    body = [[side, f["objects"], *(f["stages"][n] for n in names)] for side, f in stages.items() if "stages" in f]
    by_stage = common.table(["chain", "objects", *names], body, "Milliseconds of a picture alone.")
    crops, sizes = result["parts"]["crops"], result["parts"]["sizes"]
    one, eight = crops["1 crops"]["ms"], crops["8 crops"]["ms"]
    low, high = (sizes[f"{m} megapixels"]["stages"] for m in (MEGAPIXELS[0], MEGAPIXELS[-1]))
    more = MEGAPIXELS[-1] - MEGAPIXELS[0]
    unit = common.table(["one more", "ms"], [
        ["view, or crop of an object, in the same call", (eight - one) / 7],
        ["view in a call of its own", one],
        ["megapixel: decoding", (high["decode"] - low["decode"]) / more],
        ["megapixel: bringing to the working size", (high["resize"] - low["resize"]) / more]], note)
    body = [[name, f["ms"], [f["ratio"], *f["spread"]], f["within"], f.get("within_difference"), f["apart"],
             f.get("apart_difference")] for name, f in result["settings"].items()]
    settings = common.table(["settings", "ms a picture", "times", "within source", "difference", "apart", "difference"],
                            body, note + f" Area under the curve: {count} pictures of detect/ train in folds, logistic "
                            "regression on `difference/both/1` (without objects `difference/global/1`).")
    return {"cost-chain": chain, "cost-stages": by_stage, "cost-units": unit, "cost-settings": settings}


def main():
    args = common.arguments(__doc__, rounds=7, count=400, published=None)
    files = sample_pictures(args, BATCH)
    rows = common.draw(common.load_manifest(args, split="train"), args.count)
    settings, count = cheaper(args, files, rows)
    result = {"chain": whole_chain(args, files, published(args)), "parts": parts(args, files), "settings": settings}
    common.write(args, __file__, "cost", result, tables(result, count, args.rounds))


if __name__ == "__main__":
    main()

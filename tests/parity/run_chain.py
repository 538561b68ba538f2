#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole chain of `item check` on packs of mixed origin, against the formulae of chain.py.

usage: run_chain.py [--item PROGRAM] [--work FOLDER] [--pictures N]

The feature vector is compared through heads of random weights: the score that such a head gives is
one number that each feature moves.
"""
import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import environment

NEAR = 1e-3          # of a score or similarity
LAYOUTS = ["difference/both/1", "product/both/1", "cosine/both/1"]
PACKS = [("tiny-blip-words", "tiny-owlvit", "tiny-clip"),
         ("tiny-blip-words", "tiny-owlv2", "tiny-clip-open"),
         ("small", "tiny-owlvit-bin", "tiny-clip-legacy")]  # our small pack's captioner


def make_head(path, layout, width, embedder):
    """One layer of random weights; returns them."""
    import chain
    import numpy as np
    from safetensors.numpy import save_file
    count = chain.features(layout, *[np.zeros(width)] * 2, [], []).size
    rng = np.random.default_rng(count)
    weights = {"mean": rng.normal(size=count) * 0.1, "scale": rng.uniform(0.5, 2, count),
               "layers.0.weight": rng.normal(size=(1, count)), "layers.0.bias": rng.normal(size=1)}
    promise = {"score": 0.0, "rate": 0.5, "real": 2, "above": 1}
    facts = {"format": 1, "layout": layout, "vector_width": width, "embedder": embedder,
             "pipeline": "", "working_size": chain.WORKING_SIZE, "working_filter": "bicubic",
             "size_min": 0, "size_max": 0, "temperature": 1.0, "bias": 0.0,
             "thresholds": {"fpr1": promise, "fpr5": promise}, "real_below": None,
             "real_share": 0.1, "ai": 2, "scope_limit": None, "scope_quantile": 0.99,
             "caption_least": None, "caption_quantile": 0.01, "callers_captions": False,
             "trained_on": "nothing: random weights", "library": "0"}
    save_file({k: v.astype(np.float32) for k, v in weights.items()}, path,
              metadata={"item_head": json.dumps(facts)})
    return weights


class Item:
    def __init__(self, program):
        self.program, self.env = str(program), environment.run_with(program)

    def run(self, *args):
        done = subprocess.run([self.program, *map(str, args)], capture_output=True, env=self.env)
        if done.returncode != 0:
            raise RuntimeError(f"item {' '.join(map(str, args[:6]))}: {done.stderr.decode()}"
                               f"{done.stdout.decode()[:300]}")
        return [json.loads(line) for line in done.stdout.decode().splitlines() if line[:1] == "{"]

    def phrases(self, caption):
        return [p["phrase"] for p in self.run("phrases", "--json", "--", caption)[0]["phrases"]]


def compare(got, wanted):
    """The largest difference, and what is wrong."""
    if got["caption"] != wanted["caption"]:
        return 0, f'caption {got["caption"]!r} for {wanted["caption"]!r}'
    if [o["phrase"] for o in got["objects"]] != [o["phrase"] for o in wanted["objects"]]:
        return 0, f'{len(got["objects"])} objects for {len(wanted["objects"])}, or others'
    away = {"similarity": abs(got["similarity"] - wanted["similarity"])}
    for i, (mine, theirs) in enumerate(zip(got["objects"], wanted["objects"])):
        if max(abs(a - b) for a, b in zip(mine["box"], theirs["box"])) > 0.5:
            return 0, f'box {mine["box"]} for {theirs["box"]}'
        away |= {f"{key} of object {i}": abs(mine[key] - theirs[key])
                 for key in ("score", "similarity")}
    worst = max(away, key=away.get)
    return away[worst], None if away[worst] <= NEAR else f"{worst} differs by {away[worst]:.2g}"


def at_working_size(path, work):
    """The picture that a captioner sees within a check, as a file."""
    import chain
    from PIL import Image
    out = work / "working" / path.name
    out.parent.mkdir(exist_ok=True)
    chain.working(Image.open(path).convert("RGB"))[0].save(out)
    return out


def run_pack(item, folders, stages, captioner, files, work):
    """(objects, largest differences, faults) of one pack."""
    import chain
    pack = work / "pack"
    shutil.rmtree(pack, ignore_errors=True)
    item.run("pack", "create", "--captioner", folders[0], "--detector", folders[1], "--clip",
             folders[2], pack)
    caption_of = None
    if stages[0] is None:  # not a model of the reference: the program's own caption is taken
        said = dict(zip(files, item.run("caption", "--json", "--pack", captioner, "--",
                                        *[at_working_size(f, work) for f in files])))

        def caption_of(path):
            return said[path]["caption"]
    wanted = [chain.expect(stages, f, item.phrases, caption_of) for f in files]
    got = item.run("check", "--json", "--pack", pack, "--", *files)
    width = len(wanted[0][1][0])
    heads = []
    for layout in LAYOUTS:
        path = work / (layout.split("/")[0] + ".safetensors")
        weights = make_head(path, layout, width, got[0]["backends"]["embedder"])
        heads.append((layout, weights, item.run("check", "--json", "--pack", pack, "--head", path,
                                                "--", *files)))
    worst, worst_score, faults = 0, 0, []
    for i, (answer, vectors) in enumerate(wanted):
        away, why = compare(got[i], answer)
        worst = max(worst, away)
        for layout, weights, answers in heads:
            if why is None:
                values = chain.features(layout, *vectors)
                off = abs(answers[i]["score"] - chain.score(weights, values))
                worst_score = max(worst_score, off)
                why = None if off <= NEAR else f"score of {layout} differs by {off:.2g}"
        if why:
            faults.append(f"{files[i].name}: {why}")
    return sum(len(w["objects"]) for w, _ in wanted), worst, worst_score, faults


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("--item", type=Path, default=environment.ROOT / "build/prefix/bin/item")
    parse.add_argument("--work", type=Path, default=environment.ROOT / "build/parity-chain")
    parse.add_argument("--pictures", type=int, default=20)
    args = parse.parse_args()
    environment.enter()
    import torch
    import pictures
    import rows
    torch.set_num_threads(1)
    small = environment.ROOT / "packs" / "small"
    scenes = args.work / "pictures"
    drawn = pictures.ensure(args.work / "drawn", args.pictures * 2)
    # a crop of a line of pixels becomes a picture that takes the reference minutes
    drawn = [f for f in drawn if min(pictures.SHAPES[int(f.stem) % 20]) > 16][:args.pictures]
    failed = 0
    for names in PACKS:
        stages, folders = [], []
        for name in names:
            own = name == "small"
            folders.append(small if own else rows.model_folder(args.work, name))
            stages.append(None if own else rows.open_reference(args.work, name, torch.float32))
        files = drawn if names[0] == "small" else sorted(scenes.glob("scene_*.png"))[:args.pictures]
        objects, worst, worst_score, faults = run_pack(Item(args.item), folders, stages, small,
                                                       files, args.work)
        failed += bool(faults)
        print(f"{' + '.join(names)}: {len(files)} pictures, {objects} objects, similarity and box "
              f"scores {worst:.2g}, heads' scores {worst_score:.2g}, {len(faults)} faults")
        print(*("    " + f for f in faults[:5]), sep="\n", end="\n" if faults else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The declared arms and baselines (arms.json), in folds of detect/ train.

Each arm is `item train --layout`; with --open-dev WHY each head is measured on dev's closed sources
by `item eval`, the baselines beside them, and the look is counted in experiments/looks.csv.
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import dev  # noqa: E402
import metrics  # noqa: E402
import vectors  # noqa: E402
import baselines  # noqa: E402

SMALL = 160


# ---- pictures ----------------------------------------------------------------------------------
def reduced(args, rows):
    """The same rows with pictures of short side SMALL, kept as PNG: no second compression."""
    folder = args.out / "work" / f"{SMALL}px"
    folder.mkdir(exist_ok=True)
    out = []
    for row in rows:
        path = folder / f"{row['source']}-{Path(row['path']).stem}.png"
        if not path.exists():
            with Image.open(row["path"]) as picture:
                share = SMALL / min(picture.size)
                size = [max(1, round(n * share)) for n in picture.size]
                picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(path)
        out.append({**row, "path": str(path)})
    return out


def subset(args, name, rows):
    if name == "160 pixels":
        return reduced(args, rows)
    if name == "not seen before":
        return [r for r in rows if r["source"] not in common.TRAINED_INGREDIENTS]
    return rows


# ---- in folds of train -------------------------------------------------------------------------
def head_file(args, subset_name, arm):
    name = f"{subset_name}-{arm['name']}".replace(" ", "_").replace("+", "and")
    folder = args.out / "heads"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.safetensors"


def train(args, path, subset_name, arm):
    """The program's report: scores of folds that hold out sources, generators and prompts."""
    said = common.call(args, "train", path, "--layout", arm["layout"], "--hidden", "0", "--json",
                       "--penalty", str(metrics.PENALTY), "--out", head_file(args, subset_name, arm))
    report = json.loads(said)
    return {"within": [report["headline"]["auc"], *(report["headline"]["auc_interval"] or ())],
            "mixed": report["mixed"]["auc"], "controls": report["controls"],
            "folds": report["network"]["folds"], "folds_by": report["network"]["folds_by"]}


def apart(features, rows):
    """[mean, least, largest] over pairs of sources that the regression knows nothing of."""
    found = metrics.apart(features, rows)
    values = list(found.values())
    return {"pairs": found, "mean": [float(np.mean(values)), min(values), max(values)]}


def in_folds(args, declared, rows):
    out = {}
    for name in declared["subsets"]:
        chosen = subset(args, name, rows)
        path = common.features(args, chosen, "train-" + name.replace(" ", "-"))
        kept, data, order = vectors.read(path, chosen)
        found = out[name] = {"rows": len(kept), "left_out": len(chosen) - len(kept), "arms": {},
                             "baselines": {}}
        for arm in declared["arms"]:
            found["arms"][arm["name"]] = {**train(args, path, name, arm),
                                          "apart": apart(vectors.of_layout(arm["layout"], data, order), kept)}
        for base in declared["baselines"]:
            features = baselines.features(base["kind"], data, order, kept)
            scores = metrics.held_out(features, kept)
            found["baselines"][base["name"]] = {
                "within": metrics.within_interval(kept, scores),
                "mixed": float(metrics.auc(scores, metrics.labels(kept))),
                "apart": apart(features, kept)}
        print(f"  {name}: {len(kept)} pictures", flush=True)
    return out


def fold_tables(declared, found):
    """One row an arm: first all pictures, then the other subsets."""
    rows = []
    for kind in ("arms", "baselines"):
        for arm in declared[kind]:
            cells = [found[s][kind][arm["name"]] for s in found]
            rows.append([arm["name"], arm.get("layout", "-"), cells[0]["within"], cells[0]["apart"]["mean"],
                         cells[0]["mixed"], *(c["within"] for c in cells[1:]),
                         *(c["apart"]["mean"] for c in cells[1:])])
    others = list(found)[1:]
    columns = ["arm", "layout", "within source", "apart", "mixed", *(f"within, {s}" for s in others),
               *(f"apart, {s}" for s in others)]
    note = ("Area under the curve. Within source: pictures of the one training source that has both "
            "labels (faces), held out, with a 95 % interval. Apart: each source of AI pictures against "
            "each of photographs, neither known to the regression: mean, least and largest. "
            "Pictures: " + ", ".join(f"{s} {v['rows']:,}" for s, v in found.items()) + ".")
    return {"arms-folds": common.table(columns, rows, note),
            "arms-declared": common.table(
                ["arm", "layout", "why"],
                [[a["name"], a.get("layout", a.get("kind")), a["why"]]
                 for a in declared["arms"] + declared["baselines"]]),
            "arms-controls": control_table(declared, found["all"]["arms"])}


def control_table(declared, arms):
    names = [c["control"] for c in next(iter(arms.values()))["controls"]]
    rows = []
    for arm in declared["arms"]:
        of = {c["control"]: c for c in arms[arm["name"]]["controls"]}
        rows.append([arm["name"], arms[arm["name"]]["within"][0], *(of[n]["auc"] for n in names)])
    return common.table(["arm", "the arm itself", *names], rows,
                        "Within-source area under the curve in the same folds of what should not be "
                        "needed. The first control is the placebo.")


# ---- the closed sources ------------------------------------------------------------------------
def evaluate(args, path, head, rival=None):
    more = ["--rival", rival] if rival else []
    return json.loads(common.call(args, "eval", path, "--head", head, "--threshold", "fpr5", "--json",
                                  *more))


def opened_arm(args, declared, path, name, arm):
    rival = next(a for a in declared["arms"] if a["name"] == declared["rival"])
    mine = arm["name"] == declared["rival"]
    report = evaluate(args, path, head_file(args, name, arm),
                      None if mine else head_file(args, name, rival))
    head = report["headline"]
    out = {key: [head[key], *head[key + "_interval"]] for key in ("auc", "ap", "tpr1", "tpr5")}
    out["unsure"] = report["verdicts"]["unsure"]
    out["false_positives"] = report["false_positives"]
    out["sources"] = {s["source"]: [s["auc"], *s["auc_interval"]] for s in report["sources"]
                      if s["auc"] is not None}
    out["controls"] = report["controls"]
    if not mine:
        difference = report["comparison"]["difference"]
        out["difference"] = [difference["auc"], *difference["auc_interval"]]
    return out


def opened_baseline(base, known, opened, rival_scores):
    score = metrics.fit(baselines.features(base["kind"], *known[1:], known[0]), known[0])
    rows = opened[0]
    scores = score(baselines.features(base["kind"], *opened[1:], rows))
    out = {"auc": metrics.within_interval(rows, scores), "sources": {}}
    for s in metrics.paired_sources(rows):
        part = [i for i, r in enumerate(rows) if r["source"] == s]
        out["sources"][s] = metrics.within_interval([rows[i] for i in part], scores[part])
    if rival_scores is not None:
        out["difference"] = metrics.within_difference(rows, scores, rival_scores)
    return out, scores


def on_dev(args, declared):
    train_rows = common.load_manifest(args, split="train")
    names = [a["name"] for a in declared["arms"] + declared["baselines"]]
    closed = dev.open_manifest(args, names, args.open_dev)
    head = args.pack / "head.safetensors"
    out = {"subsets": {}, "head": hashlib.sha256(head.read_bytes()).hexdigest()}
    for name in declared["subsets"]:
        chosen = subset(args, name, train_rows)
        path = common.features(args, chosen, "train-" + name.replace(" ", "-"))
        tested = subset(args, name, closed)
        place = common.features(args, tested, "closed-" + name.replace(" ", "-"))
        found = out["subsets"][name] = {"arms": {}, "baselines": {}}
        for arm in declared["arms"]:
            if not head_file(args, name, arm).exists():
                raise common.Refused(f"no head of the arm {arm['name']}: run without --open-dev first")
            found["arms"][arm["name"]] = opened_arm(args, declared, place, name, arm)
        if name == "all":
            out["pack"] = evaluate(args, place, head)
        known, opened, rival = vectors.read(path, chosen), vectors.read(place, tested), None
        for base in declared["baselines"]:
            found["baselines"][base["name"]], scores = opened_baseline(base, known, opened, rival)
            rival = scores if base["kind"] == "probe" else rival
    return out


def pack_table(report):
    """The pack's own head, source by source."""
    rows = []
    for s in [report["headline"], *report["sources"]]:
        called = ["/".join(str(s[key][v]) for v in ("real", "unsure", "ai"))
                  for key in ("photographs_called", "ai_called")]
        rows.append([s.get("source", "mean of the sources"),
                     *([s[key], *s[key + "_interval"]] for key in ("auc", "ap", "tpr1", "tpr5")), *called])
    return common.table(["source", "AUC", "AP", "found at 1 %", "at 5 %", "photographs called real/unsure/ai",
                         "AI pictures called"], rows,
                        "The head in the pack, at its threshold `fpr5`. The arm of the same layout was "
                        "trained without the photographs of `coco_boxes`.")


def dev_tables(declared, opened):
    found, sources = opened["subsets"], sorted(common.CLOSED)
    rows, by_source = [], []
    for kind in ("arms", "baselines"):
        for arm in declared[kind]:
            cells = [found[s][kind][arm["name"]] for s in found]
            rows.append([arm["name"], arm.get("layout", "-"), cells[0]["auc"], cells[0].get("difference"),
                         cells[0].get("tpr1"), cells[0].get("tpr5"), *(c["auc"] for c in cells[1:])])
            by_source.append([arm["name"], *(cells[0]["sources"].get(s) for s in sources)])
    others = list(found)[1:]
    note = ("Area under the curve, mean over the six closed sources, 95 % interval (scenes drawn within "
            "source). Differences: of the arms against the arm `picture`, of the baselines against the "
            "linear probe, on the same pictures.")
    controls = found["all"]["arms"]
    names = [c["control"] for c in next(iter(controls.values()))["controls"]]
    return {"arms-dev-pack": pack_table(opened["pack"]), "arms-dev": common.table(
                ["arm", "layout", "AUC", "difference", "found at 1 %", "at 5 %", *others], rows, note),
            "arms-dev-sources": common.table(["arm", *sources], by_source),
            "arms-dev-controls": common.table(["arm", *names], [
                [a["name"], *(c["auc"] for c in controls[a["name"]]["controls"])]
                for a in declared["arms"]])}


def main():
    args = common.arguments(__doc__, open_dev=None)
    declared = json.loads((HERE / "arms.json").read_text())
    if args.open_dev is None:
        found = in_folds(args, declared, common.load_manifest(args, split="train"))
        common.write(args, __file__, "arms", found, fold_tables(declared, found))
        return
    found = on_dev(args, declared)
    common.write(args, __file__, "arms-dev", found, dev_tables(declared, found),
                 "make experiments ONLY=arms OPEN_DEV=...")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What captions are worth: the pack's captioner with beams, greedy, drawn at random, and a weaker one.

Captions of people (Flickr8k) and generators' prompts exist for one label only, so they serve for
false positives and recall, never for an area under the curve.
"""
import csv
import sys
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import metrics  # noqa: E402
import readings  # noqa: E402
import vectors  # noqa: E402
import weaker  # noqa: E402

FORM, SCOPE = "difference", "both"
PROMISED = 0.05
SAMPLE = 1.0  # temperature


def features(answers, form=FORM, scope=SCOPE):
    image, text = (np.stack([a[k] for a in answers]) for k in ("image", "text"))
    return vectors.features(form, scope, image, text, [(a["crops"], a["phrases"]) for a in answers])


def same_words(some, others):
    return all((a and a["caption"]) == (b and b["caption"]) for a, b in zip(some, others))


def variants(args, rows):
    """{name: answers}: the pack's own settings come first, all others are compared with them."""
    out = {"the pack's": readings.read(args, rows, "own"),
           "greedy": readings.read(args, rows, "greedy", beams=1)}
    drawn = readings.read(args, rows, "drawn", sample=SAMPLE, sample_seed=1)
    if same_words(drawn, out["the pack's"]):
        print("captioners: this captioner draws nothing, it passes over the setting `sample`: no such row")
    else:
        out[f"drawn at temperature {SAMPLE:g}"] = drawn
    worse = weaker.make(args.pack, args.out)
    if worse:
        out[f"weaker: noise of {weaker.NOISE:.0%} in the weights"] = readings.read(args, rows, "weaker", pack=worse)
    return out


def only_answered(rows, found):
    """The rows that every variant answered."""
    keep = [i for i in range(len(rows)) if all(a[i] is not None for a in found.values())]
    return [rows[i] for i in keep], {name: [a[i] for i in keep] for name, a in found.items()}


def facts(answers):
    captions = [a["caption"] for a in answers]
    return {"distinct": len(set(captions)) / len(captions),
            "logprob": float(np.mean([a["logprob"] for a in answers])),
            "objects": float(np.mean([len(a["names"]) for a in answers])),
            "similarity": float(np.mean([a["image"] @ a["text"] for a in answers]))}


def compare(rows, found):
    out, rival = {}, None
    for name, answers in found.items():
        both, cosine = features(answers), features(answers, "cosine")
        mine = {"scores": metrics.held_out(both, rows), "apart": metrics.apart_scores(both, rows),
                "cosine": metrics.apart_scores(cosine, rows)}
        cell = out[name] = {**facts(answers), "within": metrics.within_interval(rows, mine["scores"]),
                            "apart": metrics.apart_interval(rows, mine["apart"]),
                            "cosine": metrics.apart_interval(rows, mine["cosine"])}
        if rival:
            cell["within_difference"] = metrics.within_difference(rows, mine["scores"], rival["scores"])
            cell["apart_difference"] = metrics.apart_interval(rows, mine["apart"], rival["apart"])
        rival = rival or mine
    return out


# ---- captions that exist for one label -----------------------------------------------------------
def people(args, count):
    """(rows, captions) of Flickr8k's dev and test pictures, one caption each: photographs."""
    path = args.data / "flickr8k" / "captions.csv"
    if not path.exists():
        return [], []
    first = {}
    with open(path, newline="", encoding="utf-8") as lines:
        for r in csv.DictReader(lines):
            if r["split"] != "train":  # train made the captioner
                first.setdefault(r["image"], r["caption"])
    names = sorted(first)[::max(1, len(first) // count)][:count]
    rows = [{"path": str(args.data / "flickr8k" / "images" / n), "label": "real", "source": "flickr8k"}
            for n in names]
    return rows, [first[n] for n in names]


def rate(values):
    """[share, low, high], exact binomial."""
    test = binomtest(int(values.sum()), len(values))
    low, high = test.proportion_ci(method="exact")
    return [float(values.mean()), float(low), float(high)]


def one_label(args, rows, answers, tested, captions, name, left_out=()):
    """Share called AI with own and with given captions, by a regression on own captions, at the
    threshold that PROMISED of its held-out photographs reach. Sources in `left_out` train nothing."""
    kept = [i for i, r in enumerate(rows) if r["source"] not in left_out]
    rows, answers = [rows[i] for i in kept], [answers[i] for i in kept]
    known = features(answers)
    held = metrics.held_out(known, rows)[~metrics.labels(rows)]
    threshold = np.quantile(held, 1 - PROMISED, method="higher")
    score = metrics.fit(known, rows)
    own = readings.read(args, tested, name + "-own")
    given = readings.read(args, tested, name + "-given", captions)
    both = [(a, b) for a, b in zip(own, given) if a is not None and b is not None]
    return {"pictures": len(both),
            "own": rate(score(features([a for a, _ in both])) >= threshold),
            "given": rate(score(features([b for _, b in both])) >= threshold),
            "objects": [float(np.mean([len(x["names"]) for x in side])) for side in zip(*both)]}


def given_captions(args, rows, answers, count):
    out = {}
    tested, captions = people(args, count)
    if tested:
        out["photographs of Flickr8k, captions of people"] = one_label(args, rows, answers, tested, captions, "people")
    source = "dcsan_imagen"  # the one source of train whose prompts are sentences of their own
    all_rows = [r for r in common.load_manifest(args, split="train", sources=[source]) if r["prompt"]]
    tested = common.draw(all_rows, min(count, len(all_rows)))
    if tested:
        out["AI pictures of train, prompts"] = one_label(
            args, rows, answers, tested, [r["prompt"] for r in tested], "prompts", (source,))
    return out


def tables(rows, found, given):
    body = [[name, c["distinct"], c["logprob"], c["objects"], c["within"], c.get("within_difference"), c["apart"],
             c.get("apart_difference"), c["cosine"]] for name, c in found.items()]
    note = (f"{len(rows)} pictures of detect/ train, drawn with equal shares of labels and sources; logistic regression "
            f"on `{FORM}/{SCOPE}/1`, area under the curve with 95 % intervals; differences to the pack's own settings on "
            "the same pictures. The weaker captioner has noise in its weights; it was not trained for less time.")
    first = common.table(["captions", "distinct", "log-probability", "objects", "within source", "difference", "apart",
                          "difference", "apart, cosine/both/1"], body, note)
    body = [[name, c["pictures"], c["own"], c["given"], f"{c['objects'][0]:.2f}, {c['objects'][1]:.2f}"]
            for name, c in given.items()]
    second = common.table(["pictures", "how many", "called AI, own captions", "called AI, given captions",
                           "objects: own, given"], body,
                          f"A regression on own captions, at the threshold that {PROMISED:.0%} of its held-out photographs "
                          "reach; exact binomial intervals. For photographs these are false positives, for AI pictures recall; "
                          "the source of the prompts trained nothing there.")
    return {"captioners": first, "captioners-people": second}


def main():
    args = common.arguments(__doc__, count=400, given=200)
    rows = common.draw(common.load_manifest(args, split="train"), args.count)
    rows, found = only_answered(rows, variants(args, rows))
    result = compare(rows, found)
    given = given_captions(args, rows, found["the pack's"], args.given)
    common.write(args, __file__, "captioners", {"variants": result, "given": given}, tables(rows, result, given))


if __name__ == "__main__":
    main()

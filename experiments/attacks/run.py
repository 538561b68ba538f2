# SPDX-License-Identifier: Apache-2.0
"""Attacks on the picture: how far can somebody push a verdict who knows the head, or only asks it?

run.py [--each 20] [--steps 50] [--queries 500] [--threshold fpr5]

Pictures are photographs to be framed as AI, then AI pictures to be hidden, of sources that are not
closed. With full knowledge: projected gradient over the chain in PyTorch, captions and boxes held as
they were. Without gradients: Square attack. By transfer: the same gradient on a head that reads the
picture alone. And a text written into the picture. What comes out is saved as PNG and answered by
the program, whose caption may change. First the chain must give the program's scores.
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "robustness"), str(HERE.parents[1])]
import chain  # noqa: E402
import numpy as np  # noqa: E402
import search  # noqa: E402
import torch  # noqa: E402
import verify  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402

from experiments import common as shared  # noqa: E402

RADII = (2, 8)
FEW = 10  # of each label, for what asks hundreds of times
PROXY = 800  # pictures behind the head that attacks are transferred from
TEXTS = ("AI GENERATED", "REAL PHOTO", "a painting of a dragon")
AIMS = {"real": "framed", "ai": "hidden"}  # label of the picture: what is tried on it


def written(picture, text):
    """A line of text over the foot of a picture, as wide as it is."""
    out = picture.copy()
    draw, w, h = ImageDraw.Draw(out), out.width, out.height
    size = max(8, int(1.7 * w / len(text)))
    draw.rectangle((0, h - size - 8, w, h), fill=(0, 0, 0))
    draw.text((6, h - size - 5), text, font=ImageFont.load_default(size), fill=(255, 255, 255))
    return out


# ---- the attacks: each gives a picture for one row ----

def by_gradient(args, radius):
    def run(c, item):
        return search.projected_gradient(lambda x: c.score(x, item["fixed"]), item["pixels"], radius,
                                         args.steps, item["label"] == "real")[0]
    return run


def by_squares(args, radius):
    def run(c, item):
        with torch.no_grad():
            return search.square(lambda x: c.score(x, item["fixed"]), item["pixels"], radius, args.queries,
                                 item["label"] == "real")[0]
    return run


def by_text(text):
    def run(_c, item):
        with Image.open(item["path"]) as picture:
            return chain.pixels_of(written(picture.convert("RGB"), text))
    return run


def attack(name, c, item, out, run):
    """One attacked picture as PNG and the chain's score of it; kept, so that a run goes on."""
    note = out.with_suffix(".json")
    if not note.exists():
        pixels = run(c, item)
        chain.write(pixels, out)
        with torch.no_grad():
            value = float(item["judge"].score(pixels, item["fixed"]))
        note.write_text(json.dumps({"attack": name, "score": value}))
    return json.loads(note.read_text())["score"]


# ---- what came of it ----

def middle(values):
    return float(np.median(values)) if len(values) else None


def summary(items, scores, answers):
    """Medians of the score before and after, and how many verdicts were reached, by aim."""
    out = {}
    for label, aim in AIMS.items():
        own = [i for i, item in enumerate(items) if item["label"] == label]
        if not own:
            continue
        before = [items[i]["answer"] for i in own]
        after = [answers[i] for i in own]
        wanted = "ai" if label == "real" else "real"
        out[aim] = {
            "pictures": len(own), "before": middle([b["score"] for b in before]),
            "chain": middle([scores[i] for i in own]) if scores else None,
            "program": middle([a["score"] for a in after]),
            "wanted_before": sum(b["verdict"] == wanted for b in before),
            "wanted": sum(a["verdict"] == wanted for a in after),
            "flips": sum({a["verdict"], b["verdict"]} == {"ai", "real"} for a, b in zip(after, before)),
            "unsure": sum(a["verdict"] == "unsure" for a in after),
            "out_of_scope": sum(a["reason"]["code"] == "out_of_scope" for a in after),
            "captions_changed": sum(a["caption"] != b["caption"] for a, b in zip(after, before)),
            "past_most": sum(past(a["score"], label, items) for a in after)}
    return out


def past(score, label, items):
    """Beyond what 19 in 20 untouched pictures of the same label reach."""
    scores = [item["answer"]["score"] for item in items if item["label"] == label]
    return bool(score > np.quantile(scores, 0.95) if label == "real" else score < np.quantile(scores, 0.05))


def prepare(args, c):
    """Pictures with their answers, and what is fixed while they are attacked."""
    rows = shared.draw(shared.load_manifest(args, split="dev"), 2 * args.each, seed=5)
    files = [r["path"] for r in rows]
    answers = shared.answers(args, "check", files, "--threshold", args.threshold)
    failed = [a["error"]["message"] for a in answers if "error" in a]
    if failed:
        raise shared.Refused(f"{len(failed)} pictures were not answered: {failed[0]}")
    away = verify.differences(args, files[:20], answers[:20], c)
    print(f"chain and program: scores differ by {max(away):.2g} at most over {len(away)} pictures", flush=True)
    items = []
    for row, answer, fixed in zip(rows, answers, verify.fixed_of(args, answers)):
        items.append({"label": row["label"], "path": row["path"], "answer": answer, "fixed": fixed,
                      "pixels": chain.read(row["path"]), "judge": c})
    return items, max(away)


def each(args, name, items, run, c):
    """Attacks all items and has the program answer."""
    key = shared.digest_text(shared.pack_digest(args.pack), shared.digest_files(*HERE.glob("*.py")),
                             args.steps, args.queries)[:12]
    folder = args.out / "work" / f"attack-{key}" / "".join(ch if ch.isalnum() else "-" for ch in name)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / (Path(item["path"]).stem + ".png") for item in items]
    scores = [attack(name, c, item, out, run) for item, out in zip(items, files)]
    found = summary(items, scores, shared.answers(args, "check", files, "--threshold", args.threshold))
    print(name, json.dumps(found), flush=True)
    return found


def picture_head(args):
    """A head that reads the picture's vector alone, trained on some of the split train."""
    path = args.out / "work" / f"picture-head-{shared.pack_digest(args.pack)[:12]}.safetensors"
    if not path.exists():
        rows = shared.draw(shared.load_manifest(args, split="train"), PROXY, seed=9)
        vectors = shared.features(args, rows, "proxy")
        shared.call(args, "train", vectors, "--layout", "picture/1", "--hidden", "0", "--json", "--out", path)
    return path


COLUMNS = ["attack", "aim", "pictures", "score before", "after, captions held", "after, by the program",
           "verdict aimed at, before", "after", "flips", "`unsure`", "`out_of_scope`",
           "past 19 in 20 of their kind", "captions changed"]


def table_rows(result):
    for name, aims in result.items():
        for aim, f in aims.items():
            yield [name, aim, f["pictures"], f["before"], f["chain"], f["program"], f["wanted_before"],
                   f["wanted"], f["flips"], f["unsure"], f["out_of_scope"], f["past_most"],
                   f["captions_changed"]]


def run_all(args, c, items):
    few = [i for label in AIMS for i in [i for i in items if i["label"] == label][:FEW]]
    blind = chain.Chain(args.pack, picture_head(args))
    plans = [(f"gradient, radius {r}", items, by_gradient(args, r), c) for r in RADII]
    plans.append((f"Square, radius 8, {args.queries} queries", few, by_squares(args, 8), c))
    plans.append(("gradient on a head of the picture alone, radius 8", items, by_gradient(args, 8), blind))
    plans += [(f"written into it: {text}", items, by_text(text), c) for text in TEXTS]
    return {name: each(args, name, some, run, how) for name, some, run, how in plans}


def main():
    args = shared.arguments(__doc__, each=20, steps=50, queries=500, threshold="fpr5")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    c = chain.Chain(args.pack)
    items, away = prepare(args, c)
    result = run_all(args, c, items)
    note = (f"Photographs are to be called `ai`, AI pictures `real`; threshold `{args.threshold}`; split dev "
            f"without its closed sources. Chain and program differ by {away:.1g} at most.")
    print(shared.write(args, __file__, "attacks", {"attacks": result, "chain": away},
                       {"attacks": shared.table(COLUMNS, list(table_rows(result)), note)}, "make robustness"))


if __name__ == "__main__":
    main()

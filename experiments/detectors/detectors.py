#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What boxes are worth: the pack's detector, CenterNet, a grid of cells, none, and boxes made worse.

Captions and phrases stay the pack's. Boxes of our own are no input of the program, so crops are cut
here, embedded by the library, and features computed by the formula of docs/method.md. First the
pack's own boxes are taken in this way: the features must be the library's, within 1e-5.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402
import metrics  # noqa: E402
import native  # noqa: E402
import readings  # noqa: E402
import vectors  # noqa: E402
import boxes as kinds  # noqa: E402

EDGE = 224         # crops are squashed to this, as the small pack's embedder does
LAYOUTS = ("difference/local/1", "difference/both/1", "cosine/local/1")
CLOSE = 1e-5


def crop(picture, box):
    return np.asarray(picture.resize((EDGE, EDGE), Image.Resampling.BICUBIC, box=box))


class Embedder:
    """Vectors of boxes and phrases; those of boxes are kept in a file by name."""

    def __init__(self, args, answers, rows):
        self.args, self.rows = args, rows
        self.width = len(answers[0]["image"])
        self.context = native.Context(args)

    def crops(self, name, boxes):
        """boxes: for each row a list; gives for each row [n x width]."""
        key = common.digest_text(common.stages_digest(self.args.pack), repr(boxes),
                                 [r["path"] for r in self.rows])[:16]
        path = self.args.out / "work" / f"crops-{name}-{key}.npy"
        if not path.exists():
            found = [self.picture(row, of) for row, of in zip(self.rows, boxes)]
            np.save(path, np.concatenate([f for f in found if len(f)] or [np.zeros((0, self.width))]))
        flat, at = np.load(path), np.cumsum([0] + [len(b) for b in boxes])
        return [flat[a:b] for a, b in zip(at, at[1:])]

    def picture(self, row, boxes):
        if not boxes:
            return np.zeros((0, self.width), np.float32)
        with Image.open(row["path"]) as file:
            picture = file.convert("RGB")
        return self.context.embed([crop(picture, b) for b in boxes], self.width)


def objects_of(embedder, name, chosen, texts):
    """(crops, phrases) of each row from its (box, phrase) pairs."""
    crops = embedder.crops(name, [[b for b, _ in c] for c in chosen])
    return [(v, np.stack([texts[p] for _, p in c]) if c else v) for v, c in zip(crops, chosen)]


def own_difference(answers, again):
    """Largest difference of the library's features and of those computed here from the same boxes."""
    worst = 0.0
    for a, (crops, phrases) in zip(answers, again):
        for kind in ("difference", "product", "cosine"):
            ours = vectors.local_part(kind, crops, phrases)
            theirs = vectors.local_part(kind, a["crops"], a["phrases"])
            worst = max(worst, float(np.abs(ours - theirs).max(initial=0)))
    return worst


def best_cells(embedder, answers, phrases, texts):
    """For each phrase the cell that agrees most with it."""
    grids = [kinds.cells(a["size"]) for a in answers]
    found = embedder.crops("grid", grids)
    out = []
    for grid, crops, named in zip(grids, found, phrases):
        out.append([(grid[int(np.argmax(crops @ texts[p]))], p) for p in named])
    return out


def all_boxes(args, embedder, rows, answers, phrases, texts):
    """{kind: for each row [(box, phrase)]}."""
    own = [list(zip(a["boxes"], a["names"])) for a in answers]
    words, random = kinds.class_words(), np.random.default_rng(1)
    found = kinds.centernet(args, rows)
    sizes = [a["size"] for a in answers]
    return {
        "the pack's": own,
        "CenterNet": [kinds.by_class(f, p, words, s) for f, p, s in zip(found, phrases, sizes)],
        "grid of 3 x 3": best_cells(embedder, answers, phrases, texts),
        "none": [[] for _ in rows],
        "jittered by 10 %": [kinds.jittered(b, s, 0.1, random) for b, s in zip(own, sizes)],
        "jittered by 30 %": [kinds.jittered(b, s, 0.3, random) for b, s in zip(own, sizes)],
        "half dropped": [kinds.dropped(b, 0.5, random) for b in own],
        "as many added": [kinds.added(b, p, s, random) for b, p, s in zip(own, phrases, sizes)]}


def measure(rows, answers, objects):
    image, text = (np.stack([a[k] for a in answers]) for k in ("image", "text"))
    out = {}
    for layout in LAYOUTS:
        form, scope, _ = layout.split("/")
        features = vectors.features(form, scope, image, text, objects)
        out[layout] = {"scores": metrics.held_out(features, rows),
                       "apart": metrics.apart_scores(features, rows)}
    return out


def compare(rows, found, against):
    """Figures of each kind and layout, and differences to `against`."""
    out = {}
    for kind, layouts in found.items():
        for layout, mine in layouts.items():
            rival = found[against][layout]
            cell = out.setdefault(kind, {})[layout] = {
                "within": metrics.within_interval(rows, mine["scores"]),
                "apart": metrics.apart_interval(rows, mine["apart"])}
            if kind != against:
                cell["within_difference"] = metrics.within_difference(rows, mine["scores"], rival["scores"])
                cell["apart_difference"] = metrics.apart_interval(rows, mine["apart"], rival["apart"])
    return out


def table_of(result, counts, note):
    rows = []
    for kind, layouts in result.items():
        main = layouts["difference/both/1"]
        rows.append([kind, counts[kind], main["within"], main.get("within_difference"), main["apart"],
                     main.get("apart_difference"), *(layouts[k]["apart"] for k in LAYOUTS if k != "difference/both/1")])
    others = [k for k in LAYOUTS if k != "difference/both/1"]
    return common.table(["boxes", "objects a picture", "within source", "difference", "apart", "difference",
                         *(f"apart, {k}" for k in others)], rows, note)


def main():
    args = common.arguments(__doc__, count=400)
    rows = common.draw(common.load_manifest(args, split="train"), args.count)
    answers = readings.read(args, rows, "own")
    rows, answers = zip(*[(r, a) for r, a in zip(rows, answers) if a is not None])
    rows, answers = list(rows), list(answers)
    embedder = Embedder(args, answers, rows)
    phrases = [embedder.context.noun_phrases(a["caption"]) for a in answers]
    texts = embedder.context.embed_texts([p for named in phrases for p in named], embedder.width)
    chosen = all_boxes(args, embedder, rows, answers, phrases, texts)
    objects = {kind: objects_of(embedder, kind.replace(" ", "-"), c, texts) for kind, c in chosen.items()}
    worst = own_difference(answers, objects["the pack's"])
    if worst > CLOSE:
        print(f"detectors: features computed here differ from the library's by {worst:.1e}: the "
              "embedder cuts or resizes in another way, so compare the rows among themselves only")
    counts = {kind: sum(map(len, c)) / len(c) for kind, c in chosen.items()}
    result = compare(rows, {k: measure(rows, answers, o) for k, o in objects.items()}, "the pack's")
    note = (f"{len(rows)} pictures of detect/ train, drawn with equal shares of labels and sources; logistic "
            "regression on `difference/both/1` unless said otherwise, area under the curve with 95 % intervals; "
            "differences to the pack's own boxes, on the same pictures. Features from the pack's own boxes "
            f"differ from the library's by at most {worst:.0e}.")
    common.write(args, __file__, "detectors", {"own_difference": worst, "counts": counts, "kinds": result},
                 {"detectors": table_of(result, counts, note)})


if __name__ == "__main__":
    main()

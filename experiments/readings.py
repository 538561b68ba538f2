# SPDX-License-Identifier: Apache-2.0
"""What the library read in pictures, kept piece by piece: killed and started again it goes on."""
import json

import numpy as np

import common
import native

PIECE = 48
PLAIN = ("caption", "logprob", "size", "score", "boxes", "names")


def pack_pieces(answers):
    """A list of native.Context.answer() as arrays and one text; None stays None."""
    there = [a for a in answers if a is not None]
    width = len(there[0]["image"]) if there else 0

    def rows(name):
        found = [v for a in there for v in a[name]]
        return np.stack(found) if found else np.zeros((0, width), np.float32)

    return {"plain": np.array(json.dumps([a and {k: a[k] for k in PLAIN} for a in answers])),
            "image": np.stack([a["image"] for a in there]) if there else np.zeros((0, 0)),
            "text": np.stack([a["text"] for a in there]) if there else np.zeros((0, 0)),
            "crops": rows("crops"), "phrases": rows("phrases")}


def unpack(file):
    out, row, crop = json.loads(str(file["plain"])), 0, 0
    for answer in out:
        if answer is None:
            continue
        n = len(answer["boxes"])
        answer.update(image=file["image"][row], text=file["text"][row],
                      crops=file["crops"][crop:crop + n], phrases=file["phrases"][crop:crop + n])
        row, crop = row + 1, crop + n
    return out


def read(args, rows, name, captions=None, pack=None, **settings):
    """One answer a row: captions, boxes and vectors, by a pack with these settings."""
    key = common.digest_text(common.stages_digest(pack or args.pack), common.version(args),
                             json.dumps(settings, sort_keys=True))[:12]
    folder = args.out / "work" / f"{name}-{key}"
    folder.mkdir(exist_ok=True)
    out, context = [], None
    for start in range(0, len(rows), PIECE):
        paths = [r["path"] for r in rows[start:start + PIECE]]
        texts = captions and captions[start:start + PIECE]
        path = folder / (common.digest_text(paths, texts)[:16] + ".npz")
        if not path.exists():
            # what item features computed is not computed again
            cache = args.out / "work" / "stages.cache"
            context = context or native.Context(args, pack, cache=cache, **settings)
            part = path.with_suffix(".part")
            with open(part, "wb") as to:
                np.savez(to, **pack_pieces(context.check(paths, texts)))
            part.replace(path)
        with np.load(path) as file:
            out += unpack(file)
    if context:
        context.close()
    return out

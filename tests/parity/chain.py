# SPDX-License-Identifier: Apache-2.0
"""What `item check` does with a picture, written out as docs/method.md says it.

The stages are the reference's; phrases come from `item phrases`. run_chain.py compares.
"""
import numpy as np
from PIL import Image

WORKING_SIZE = 224   # short side, where no head says otherwise
MOST_ASPECT = 8      # the long side is squashed to so many short ones
LEAST_SCORE = 0.1    # of a box
MOST_OBJECTS = 8     # and boxes of a phrase that are looked at
SAME_OBJECT = 0.5    # intersection over union
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def working(image):
    """The picture at its working size, and the factors from there to its own pixels."""
    scale = WORKING_SIZE / min(image.size)
    most = WORKING_SIZE * MOST_ASPECT
    size = tuple(min(max(1, int(side * scale + 0.5)), most) for side in image.size)
    small = image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)
    return small, [image.width / size[0], image.height / size[1]] * 2


def overlap(a, b):
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0
    both = across * down
    return both / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - both)


def cut(found, phrases, size):
    """The part of each box that lies in the picture; of a phrase the best ones, best first."""
    out = []
    for thing in sorted(found, key=lambda o: -o["score"]):
        box = [min(max(value, 0), most) for value, most in zip(thing["box"], size * 2)]
        phrase = phrases[thing["query"]]
        if (box[0] < box[2] and box[1] < box[3] and thing["score"] > LEAST_SCORE and
                sum(o["phrase"] == phrase for o in out) < MOST_OBJECTS):
            out.append({"phrase": phrase, "box": box, "score": thing["score"]})
    return out


def choose(boxes):
    """Those that are objects of their own, of each phrase as many as it says."""
    chosen = []
    for thing in boxes:
        same = [c for c in chosen if c["phrase"] == thing["phrase"]]
        if (len(same) < NUMBERS.get(thing["phrase"].split()[0], 1) and
                all(overlap(c["box"], thing["box"]) <= SAME_OBJECT for c in same)):
            chosen.append(thing)
    return chosen[:MOST_OBJECTS]


def crop_of(image, box):
    """A box of whole pixels, at least one each way."""
    box = [int(value + 0.5) for value in box]
    return image.crop((box[0], box[1], max(box[2], box[0] + 1), max(box[3], box[1] + 1)))


def features(layout, image, text, crops, phrases):
    """m_g and m_i of docs/method.md, in the order of the layout."""
    form = layout.split("/")[0]

    def m(a, b):
        return {"difference": a - b, "product": a * b, "cosine": a[:0]}[form]
    out = [m(image, text), [image @ text]]
    if len(crops) == 0:
        return np.concatenate([*out, np.zeros(len(out[0]) + 6)])
    cosines = np.array([c @ p for c, p in zip(crops, phrases)])
    return np.concatenate([*out, np.mean([m(c, p) for c, p in zip(crops, phrases)], axis=0), [
        1, len(cosines), cosines.mean(), cosines.min(), cosines.max(), cosines.std()]])


def expect(stages, path, phrases_of, caption_of):
    """What the chain should say of a picture, and the vectors behind it."""
    image = Image.open(path).convert("RGB")
    small, factors = working(image)
    caption = caption_of(path) if caption_of else stages[0].caption(small)["caption"]
    phrases = phrases_of(caption)
    found = stages[1].objects(small, phrases) if phrases else []
    objects = choose(cut(found, phrases, small.size))
    embedder = stages[2]
    vectors = [np.array(embedder.embed_picture(small)), np.array(embedder.embed_text(caption)),
               [np.array(embedder.embed_picture(crop_of(small, o["box"]))) for o in objects],
               [np.array(embedder.embed_text(o["phrase"])) for o in objects]]
    for thing, crop, phrase in zip(objects, vectors[2], vectors[3]):
        thing["similarity"] = float(crop @ phrase)
        thing["box"] = [value * factor for value, factor in zip(thing["box"], factors)]
    return {"caption": caption, "similarity": float(vectors[0] @ vectors[1]),
            "objects": objects}, vectors


def score(weights, values):
    """A head of one layer."""
    hidden = (values - weights["mean"]) * weights["scale"]
    return float(weights["layers.0.weight"][0] @ hidden + weights["layers.0.bias"][0])

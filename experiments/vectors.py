# SPDX-License-Identifier: Apache-2.0
"""Data sets as `item features` writes them, as arrays (docs/evaluation.md has the format), and
features of them by the formula of docs/method.md."""
import json

import numpy as np
from safetensors import safe_open


class Vectors:
    """One row a picture: image and text [rows x width], crops and phrases of row i by objects(i)."""

    def __init__(self, path):
        with safe_open(path, "np") as f:
            self.facts = json.loads(f.metadata()["item_dataset"])
            self.column = {name: f.get_tensor(name) for name in f.keys()}
        texts = self.column.pop("texts").tobytes().decode().split("\0")[:-1]
        self.image, self.text = self.column["image"], self.column["text"]
        self.names, self.sources, self.generators, self.scenes = (
            [texts[i] for i in self.column[name]] for name in ("name", "source", "generator", "scene"))
        self.first = np.concatenate([[0], np.cumsum(self.column["objects"])]).astype(int)

    def __len__(self):
        return len(self.image)

    def objects(self, row):
        """(crops, phrases), each [objects x width]."""
        part = slice(self.first[row], self.first[row + 1])
        return self.column["crops"][part], self.column["phrases"][part]

    def in_order_of(self, rows):
        """For each row of a manifest its number here; a picture that failed is refused."""
        place = {name: i for i, name in enumerate(self.names)}
        return np.array([place[r["path"]] for r in rows])


def read(path, rows):
    """These rows, their data set, and where each stands in it; rows that failed are left out."""
    data = Vectors(path)
    known = set(data.names)
    rows = [r for r in rows if r["path"] in known]
    return rows, data, data.in_order_of(rows)


def form(kind, a, b):
    """Without the cosine, which global() and local() append."""
    return {"difference": a - b, "product": a * b, "cosine": a[..., :0]}[kind]


def global_part(kind, image, text):
    return np.concatenate([form(kind, image, text), (image * text).sum(-1, keepdims=True)], -1)


def local_part(kind, crops, phrases):
    """Mean of the objects' forms; presence, count, and mean, least, largest, deviation of cosines."""
    n = len(crops)
    width = 0 if kind == "cosine" else crops.shape[1]
    if n == 0:
        return np.zeros(width + 6)
    cosines = (crops.astype(float) * phrases).sum(1)
    return np.concatenate([form(kind, crops, phrases).mean(0),
                           [1, n, cosines.mean(), cosines.min(), cosines.max(), cosines.std()]])


def features(kind, scope, image, text, objects):
    """Layout `kind/scope/1` of all rows; `objects` is a list of (crops, phrases)."""
    parts = []
    if scope != "local":
        parts.append(global_part(kind, image, text))
    if scope != "global":
        parts.append(np.stack([local_part(kind, *pair) for pair in objects]))
    return np.concatenate(parts, 1)


def of_term(term, data, order):
    image, text = data.image[order], data.text[order]
    kind, *scope = term.split("/")[:-1]
    if kind == "picture":
        return image
    if kind == "caption":
        return text
    if kind == "layers":
        return data.column["layers"][order]
    return features(kind, scope[0], image, text, [data.objects(i) for i in order])


def of_layout(layout, data, order):
    """Features of a layout, its terms side by side, for these rows of the data set."""
    return np.concatenate([of_term(term, data, order) for term in layout.split("+")], 1)

# SPDX-License-Identifier: Apache-2.0
"""Files of vectors (format 1, docs/evaluation.md) for the tests of the program, made with the
standard library: pictures of which AI ones agree less with their captions."""
import json
import math
import random
import struct

WIDTH = 6
META = {"format": 1, "width": WIDTH, "embedder": "tests 1", "pipeline": "", "working_size": 224,
        "working_filter": "bicubic", "callers_captions": False}


def unit(chance, near=None, pull=0.0):
    v = [chance.gauss(0, 1) + pull * x for x in near or [0.0] * WIDTH]
    length = math.sqrt(sum(x * x for x in v))
    return [x / length for x in v]


def row(chance, label, source, hard=0.0):
    image = unit(chance)
    return {"label": label, "source": source, "image": image,
            "text": unit(chance, image, 1.0 if label else 3.0 - hard)}


def rows(each, sources, seed=1, labels=(0, 1), hard=0.0):
    chance = random.Random(seed)
    return [row(chance, label, f"source {s}", hard) for s in range(sources) for label in labels
            for _ in range(each)]


def write(path, pictures, **meta):
    """`meta` changes facts of the file."""
    texts = [""] + sorted({p["source"] for p in pictures})
    n = len(pictures)
    zeros = [0] * n
    flat = {key: [x for p in pictures for x in p[key]] for key in ("image", "text")}
    columns = {
        "label": ("U8", "B", [p["label"] for p in pictures]), "flags": ("U8", "B", zeros),
        "objects": ("I32", "i", zeros), "picture_width": ("I32", "i", [224] * n),
        "picture_height": ("I32", "i", [224] * n), "file_bytes": ("I64", "q", [1000] * n),
        "caption_logprob": ("F64", "d", [-1.0] * n), "name": ("I32", "i", zeros),
        "source": ("I32", "i", [texts.index(p["source"]) for p in pictures]),
        "generator": ("I32", "i", zeros), "scene": ("I32", "i", zeros)}
    tensors = {name: (kind, [n], struct.pack(f"<{n}{code}", *values))
               for name, (kind, code, values) in columns.items()}
    for key, values in flat.items():
        tensors[key] = ("F32", [n, WIDTH], struct.pack(f"<{n * WIDTH}f", *values))
    for key in ("crops", "phrases"):
        tensors[key] = ("F32", [0, WIDTH], b"")
    packed = b"".join(t.encode() + b"\0" for t in texts)
    tensors["texts"] = ("U8", [len(packed)], packed)
    header = {"__metadata__": {"item_dataset": json.dumps({**META, **meta})}}
    data = b""
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path

# SPDX-License-Identifier: Apache-2.0
"""Pictures and packs for the tests of the program, good and bad, made with the standard library."""
import hashlib
import json
import struct
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES = ROOT / "examples" / "pictures"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows=None):
    """An RGB picture; `rows` limits what is written of it, so that the header may lie."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = b"\0" + bytes(i * 7 % 256 for i in range(min(width, 64) * 3))
    row += bytes(1 + width * 3 - len(row))
    data = zlib.compress(row * (height if rows is None else rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg():
    return (PICTURES / "chelsea.jpg").read_bytes()


def huge_jpeg():
    """A real JPEG whose frame header claims 60000 x 60000."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5:at + 9] = struct.pack(">HH", 60000, 60000)
    return bytes(data)


# name: (content, status that the library gives, or None where a network would answer)
BAD = {
    "empty.jpg": (b"", "ITEM_E_FORMAT"),
    "text.jpg": (b"this is no picture\n", None),
    "truncated.jpg": (jpeg()[:20000], "ITEM_E_FORMAT"),
    "truncated.png": (png(64, 64)[:60], "ITEM_E_FORMAT"),
    "huge.png": (png(60000, 60000, rows=1), "ITEM_E_LIMIT"),
    "huge.jpg": (huge_jpeg(), "ITEM_E_LIMIT"),
    "picture.gif": (b"GIF89a" + bytes(24), "ITEM_E_UNSUPPORTED"),
    "line\nbreak \x1b[31m.png": (b"\x89PNG\r\n\x1a\n", "ITEM_E_FORMAT"),
}
GOOD = {
    "one.png": png(1, 1),
    "long.png": png(1, 20000),
    "wide.png": png(20000, 1),
    "plain.png": png(80, 60),
}


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content[0] if isinstance(content, tuple) else content)
        paths.append(path)
    return paths


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "##s", "on", "grass"]


def safetensors(path, metadata, tensors):
    """tensors: (name, dtype, shape, bytes)"""
    header, data = {"__metadata__": metadata}, b""
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tiny_head(path, photographs, weight=1, sources=None, pictures=(), mute=False):
    """A head of one weight; with fewer than 100 photographs its first threshold is never, and a
    mute one has no limits at all."""
    def promise(rate, score):
        return {"score": None if mute else score, "rate": rate, "real": photographs, "above": 0}

    facts = {"format": 1, "layout": "cosine/global/1", "vector_width": 8, "embedder": "tests 1",
             "pipeline": "", "working_size": 224, "working_filter": "bicubic", "size_min": 0,
             "size_max": 0, "temperature": 1, "bias": 0,
             "thresholds": {"fpr1": promise(0.01, 2.5 if photographs >= 100 else None),
                            "fpr5": promise(0.05, 1.25)},
             "real_below": None if mute else -1, "real_share": 0.1, "ai": 50, "scope_limit": None,
             "scope_quantile": 0.5, "caption_least": None, "caption_quantile": 0.5,
             "callers_captions": False, "trained_on": "tests", "library": "0.1.0"}
    if sources is not None:
        facts["trained_sources"] = sources
    tensors = [(name, "F32", shape, struct.pack("<f", value)) for name, shape, value in (
        ("mean", [1], 0), ("scale", [1], 1), ("layers.0.weight", [1, 1], weight),
        ("layers.0.bias", [1], 0))]
    if pictures:
        tensors.append(("trained_pictures", "U8", [len(pictures), 16], b"".join(pictures)))
    safetensors(path, {"item_head": json.dumps(facts)}, tensors)


def tiny_vectors(path, rows):
    """A data set for tiny_head(): rows have label, cosine and, if known, texts and a picture."""
    texts, width, n = [""], 8, len(rows)

    def text(row, key):
        value = row.get(key, "")
        if value not in texts:
            texts.append(value)
        return texts.index(value)

    def column(name, dtype, code, values):
        return name, dtype, [n], struct.pack(f"<{n}{code}", *values)

    def vectors(name, values):
        return name, "F32", [len(values), width], b"".join(struct.pack("<8f", *v) for v in values)

    facts = {"format": 2, "width": width, "embedder": "tests 1", "pipeline": "", "working_size": 224,
             "working_filter": "bicubic", "callers_captions": False}
    tensors = [vectors("image", [[1] + 7 * [0]] * n), vectors("crops", []), vectors("phrases", []),
               vectors("named", []),
               vectors("text", [[r["cosine"], (1 - r["cosine"] ** 2) ** 0.5] + 6 * [0] for r in rows]),
               column("label", "U8", "B", [r["label"] == "ai" for r in rows]),
               column("flags", "U8", "B", n * [0]), column("file_bytes", "I64", "q", n * [1000]),
               ("picture", "U8", [n, 16], b"".join(r.get("picture", bytes(16)) for r in rows))]
    tensors += [column(name, "I32", "i", n * [value]) for name, value in (
        ("objects", 0), ("picture_width", 300), ("picture_height", 200), ("named_count", 0))]
    tensors += [column(name, "F64", "d", n * [-1.5]) for name in ("caption_logprob", "caption_prior")]
    tensors += [column(key, "I32", "i", [text(r, key) for r in rows])
                for key in ("name", "source", "generator", "scene", "caption")]
    held = b"".join(t.encode("utf-8", "surrogateescape") + b"\0" for t in texts)
    tensors.append(("texts", "U8", [len(held)], held))
    safetensors(path, {"item_dataset": json.dumps(facts)}, tensors)


def tiny_pack(folder):
    """A pack with a tokenizer and files that no network can be made of, and without a head."""
    files = {"vocab": ("vocab.txt", "\n".join(WORDS).encode() + b"\n"),
             "weights": ("weights.safetensors", struct.pack("<Q", 2) + b"{}")}
    folder.mkdir(parents=True)
    listed = {}
    for role, (name, content) in files.items():
        (folder / name).write_bytes(content)
        listed[role] = {"file": name, "bytes": len(content),
                        "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "README.md").write_text("A pack of the tests.\n")

    def stage(family, **more):
        return {"family": family, "licence": "none", "source": "tests", "files": listed, **more}

    (folder / "item.json").write_text(json.dumps({
        "schema": 1, "name": "tiny", "version": "1", "licence": "none", "card": "README.md",
        "stages": {
            "captioner": stage("grid-decoder"),
            "detector": stage("nanodet"),
            "embedder": stage("dual-projection", config={"width": 8},
                              tokenizer={"kind": "wordpiece", "file": "vocab", "limit": 6}),
        }}))
    return folder


def tiny_model(folder):
    """A published CLIP by its names, of which no network can be made."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "clip", "projection_dim": 8}')
    (folder / "vocab.json").write_text(json.dumps(
        {"a</w>": 0, "b</w>": 1, "<|startoftext|>": 2, "<|endoftext|>": 3}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    return folder

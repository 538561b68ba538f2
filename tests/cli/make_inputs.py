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
    "picture.webp": (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(24), "ITEM_E_UNSUPPORTED"),
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


def tiny_head(path, photographs):
    """A head of one weight; with fewer than 100 photographs its first threshold is never."""
    def promise(rate, score):
        return {"score": score, "rate": rate, "real": photographs, "above": 0}

    facts = {"format": 1, "layout": "cosine/global/1", "vector_width": 8, "embedder": "tests 1",
             "pipeline": "", "working_size": 224, "working_filter": "bicubic", "size_min": 0,
             "size_max": 0, "temperature": 1, "bias": 0,
             "thresholds": {"fpr1": promise(0.01, 2.5 if photographs >= 100 else None),
                            "fpr5": promise(0.05, 1.25)},
             "real_below": -1, "real_share": 0.1, "ai": 50, "scope_limit": None,
             "scope_quantile": 0.5, "caption_least": None, "caption_quantile": 0.5,
             "callers_captions": False, "trained_on": "tests", "library": "0.1.0"}
    header = {"__metadata__": {"item_head": json.dumps(facts)}}
    for i, (name, shape) in enumerate((("mean", [1]), ("scale", [1]), ("layers.0.weight", [1, 1]),
                                       ("layers.0.bias", [1]))):
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [4 * i, 4 * i + 4]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + struct.pack("<4f", 0, 1, 1, 0))


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

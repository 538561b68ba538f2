"""Paths, seeds and file helpers that every recipe shares."""
import argparse
import csv
import json
import random
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

REPO = Path(__file__).resolve().parent.parent
SEED = 20
THREADS = 2


def arguments(text, **more):
    """The options that all recipes have; `more` adds name=default pairs."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--pack", type=Path, default=REPO / "packs" / "small")
    parser.add_argument("--cache", type=Path, default=REPO.parent / "recipes-cache",
                        help="folder for features; keep it outside of the repository")
    parser.add_argument("--threads", type=int, default=THREADS)
    for name, default in more.items():
        kind = str if default is None else type(default)
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    args.pack.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    return args


def fix_seeds(seed=SEED):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def flickr8k(data):
    """Returns (names, splits, captions): one entry a picture, in the file's order."""
    captions, split_of = defaultdict(list), {}
    with open(data / "flickr8k" / "captions.csv", newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            captions[row["image"]].append(row["caption"])
            split_of[row["image"]] = row["split"]
    names = list(captions)
    return names, np.array([split_of[n] for n in names]), [captions[n] for n in names]


def draw_views(pictures, views):
    """Half of the time the whole picture, mirrored or not, or else one of its cuts."""
    some = np.where(np.random.rand(pictures) < 0.5, 2, views)
    return (np.random.rand(pictures) * some).astype(int)


def load(path, dtype=torch.float32):
    """All tensors of a safetensors file; floats become `dtype`, integers stay."""
    with safe_open(path, "pt") as f:
        tensors = {k: f.get_tensor(k) for k in f.keys()}
        meta = dict(f.metadata() or {})
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors.items()}, meta


@contextmanager
def new_array(path, shape):
    """A large fp16 array on disk, to be filled; it gets its name once it is whole."""
    part = path.with_name(path.name + ".part")
    out = np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=shape)
    yield out
    out.flush()
    part.rename(path)


def settle(path):
    """Puts the header's keys in one order: safetensors writes metadata in another one each time."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])


def save(path, tensors, meta, keep=()):
    """Writes floats as fp16 (names in `keep` stay as they are) and prints the size."""
    out = {}
    for name, value in tensors.items():
        half = value.is_floating_point() and name not in keep
        out[name] = (value.half() if half else value).contiguous().clone()
    save_file(out, path, metadata={k: str(v) for k, v in meta.items()})
    settle(path)
    path.chmod(0o644)
    print(f"{path.name}: {len(out)} tensors, {path.stat().st_size / 1e6:.2f} MB")

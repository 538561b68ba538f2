#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores of texts and inner layers of the tiny published models, against the reference's.

usage: test_abilities.py LIBITEM

The library is called through ctypes: `item` has no words for either. Skipped (exit code 77) where
the engine is missing.
"""
import ctypes
import itertools
import json
import os
import sys
import unittest
from ctypes import byref, c_char_p, c_double, c_float, c_size_t, c_uint32, c_void_p
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "models"
WANTED = json.loads((GOLDEN / "abilities.json").read_text("utf-8"))
BOUND = 1e-5  # of the largest number of an answer, or of 1
LIB = None


class Error(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("code", ctypes.c_int32), ("system", ctypes.c_int32),
                ("reserved", c_uint32), ("message", ctypes.c_char * 512)]


class Info(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("width", c_uint32), ("more", c_uint32 * 6),
                ("texts", c_void_p * 3), ("layers_width", c_uint32), ("batch", c_uint32)]


def call(function, *args):
    err = Error(struct_size=ctypes.sizeof(Error))
    status = getattr(LIB, function)(*args, byref(err))
    if status != 0:
        raise AssertionError(f"{function}: {err.message.decode()}")


class Model:
    """A folder in a context; its pictures."""

    def __init__(self, name):
        self.ctx, self.images = c_void_p(), []
        call("item_ctx_open", os.fsencode(GOLDEN / name), None, byref(self.ctx))

    def __enter__(self):
        return self

    def __exit__(self, *why):
        for image in self.images:
            LIB.item_image_unref(image)
        LIB.item_ctx_unref(self.ctx)

    def pictures(self, files):
        for file in files:
            self.images.append(c_void_p())
            call("item_image_from_file", os.fsencode(GOLDEN / "pictures" / file), None,
                 byref(self.images[-1]))
        return (c_void_p * len(files))(*self.images)

    def scores(self, files, texts):
        out = (c_double * len(files))()
        call("item_score_captions", self.ctx, self.pictures(files),
             (c_char_p * len(texts))(*(t.encode() for t in texts)), c_size_t(len(files)), None, out)
        return list(out)

    def layers(self, files):
        """Rows of layers, after their vectors were compared with those of another call."""
        info, n = Info(struct_size=ctypes.sizeof(Info)), len(files)
        call("item_embed_layers", self.ctx, None, c_size_t(0), None, None, c_size_t(0), None,
             c_size_t(0))
        call("item_ctx_get_info", self.ctx, byref(info))
        pictures, width = self.pictures(files), info.width
        vectors, same = (c_float * (n * width))(), (c_float * (n * width))()
        layers = (c_float * (n * info.layers_width))()
        call("item_embed_layers", self.ctx, pictures, c_size_t(n), None, vectors, c_size_t(width),
             layers, c_size_t(info.layers_width))
        call("item_embed_images", self.ctx, pictures, c_size_t(n), None, same, c_size_t(width))
        assert max(abs(a - b) for a, b in zip(vectors, same)) < BOUND
        return [layers[i * info.layers_width:(i + 1) * info.layers_width] for i in range(n)]


def by_model(entries):
    return itertools.groupby(entries, key=lambda e: e["model"])


class Abilities(unittest.TestCase):
    def near(self, got, wanted, what):
        scale = max(1.0, *(abs(w) for w in wanted))
        worst = max(abs(g - w) for g, w in zip(got, wanted, strict=True))
        self.assertLess(worst, BOUND * scale, what)

    def test_scores(self):
        for name, entries in by_model(WANTED["scores"]):
            entries = list(entries)
            with Model(name) as model:
                got = model.scores([e["file"] for e in entries], [e["text"] for e in entries])
            self.near(got, [e["score"] for e in entries], name)

    def test_layers(self):
        for name, entries in by_model(WANTED["layers"]):
            entries = list(entries)
            with Model(name) as model:
                rows = model.layers([e["file"] for e in entries])
            for row, entry in zip(rows, entries, strict=True):
                self.near(row, entry["layers"], f'{name}, {entry["file"]}')


def main():
    global LIB
    if len(sys.argv) != 2:
        print(__doc__.strip())
        return 2
    if not os.environ.get("ITEM_ENGINE_PATH"):
        print("skipped: the engine is not built")
        return 77
    LIB = ctypes.CDLL(sys.argv[1])
    for name in ("item_image_unref", "item_ctx_unref"):
        getattr(LIB, name).argtypes = [c_void_p]
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Abilities)
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

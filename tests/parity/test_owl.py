#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`item detect` on the tiny OWL-ViT and OWLv2: what the stored answers do not ask.

usage: test_owl.py PROGRAM

Skipped (exit code 77) where the engine is missing.
"""
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS = GOLDEN / "models"
SQUARE = MODELS / "pictures" / "101x67.png"
THIN = [GOLDEN / "image" / "pictures" / name
        for name in ("size_1x1.png", "thin_1x20000.jpg", "thin_20000x1.png")]
PROGRAM = None


def detect(model, files, queries, *options):
    given = [part for query in queries for part in ("--query", query)]
    call = [PROGRAM, "detect", "--model", str(model), "--json", *given, *options, "--",
            *map(str, files)]
    done = subprocess.run(call, capture_output=True, timeout=600)
    return done, [json.loads(line) for line in done.stdout.decode().splitlines()]


def read_weights(path):
    """Header, bytes, and where the numbers begin."""
    data = bytearray(path.read_bytes())
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), data, 8 + size


class Copy:
    """A model folder to be damaged."""

    def __init__(self, name):
        self.folder = Path(tempfile.mkdtemp())
        for path in (MODELS / name).iterdir():
            shutil.copy(path, self.folder / path.name)
        self.weights = self.folder / "model.safetensors"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def poke(self, tensor, number):
        """Another value for the first number of a tensor."""
        header, data, start = read_weights(self.weights)
        at = start + header[tensor]["data_offsets"][0]
        data[at:at + 4] = struct.pack("<f", number)
        self.weights.write_bytes(data)

    def rename(self, tensor, to):
        header, data, start = read_weights(self.weights)
        header[to] = header.pop(tensor)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self.weights.write_bytes(struct.pack("<Q", len(text)) + text + data[start:])

    def set(self, file, **values):
        path = self.folder / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


class Answers(unittest.TestCase):
    def fails(self, model, *words):
        done, lines = detect(model, [SQUARE], ["a dog"])
        said = done.stderr.decode() + "".join(json.dumps(line) for line in lines)
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(any(line.get("objects") for line in lines), said)
        for word in words:
            self.assertIn(word, said)

    def test_thin_pictures(self):
        for name in ("owlvit", "owlv2"):
            done, lines = detect(MODELS / name, THIN, ["a dog"], "--threshold", "0")
            self.assertEqual(done.returncode, 0, done.stderr)
            for line, side in zip(lines, (1, 20000, 20000), strict=True):
                self.assertGreater(len(line["objects"]), 1)
                for o in line["objects"]:
                    self.assertTrue(all(-side <= v <= 2 * side for v in o["box"]), o)

    def test_a_thousand_queries(self):
        """Each gets the number that it gets alone, in any company."""
        queries = [f"dog {i}" for i in range(1000)]
        for name in ("owlvit", "owlv2"):
            done, (line,) = detect(MODELS / name, [SQUARE], queries, "--threshold", "0.000001")
            self.assertEqual(done.returncode, 0, done.stderr)
            best = max(line["objects"], key=lambda o: o["score"])
            _, (alone,) = detect(MODELS / name, [SQUARE], [best["query"]], "--threshold", "0.000001")
            again = max(alone["objects"], key=lambda o: o["score"])
            self.assertLess(abs(best["score"] - again["score"]), 1e-5)
            self.assertLess(max(abs(a - b) for a, b in zip(best["box"], again["box"])), 1e-2)
        done, lines = detect(MODELS / "owlvit", [SQUARE], queries + ["one more"])
        self.assertIn("1001", done.stderr.decode() + json.dumps(lines))

    def test_repeated_queries(self):
        done, (line,) = detect(MODELS / "owlvit", [SQUARE], ["a dog", "tree", "a dog", ""],
                               "--threshold", "0.01")
        self.assertEqual(done.returncode, 0, done.stderr)
        _, (once,) = detect(MODELS / "owlvit", [SQUARE], ["a dog", "tree", ""], "--threshold", "0.01")
        self.assertEqual(len(line["objects"]), len(once["objects"]))
        for a, b in zip(line["objects"], once["objects"]):
            self.assertEqual(a["query"], b["query"])
            self.assertLess(abs(a["score"] - b["score"]), 1e-5)

    def test_some_are_the_best_inside(self):
        for name in ("owlvit", "owlv2"):
            _, (all_of_them,) = detect(MODELS / name, [SQUARE], ["a dog"], "--threshold", "0")
            _, (some,) = detect(MODELS / name, [SQUARE], ["a dog"], "--threshold", "0",
                                "--max-objects", "5")
            scores = [o["score"] for o in some["objects"]]
            self.assertEqual(len(scores), 5)
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertLessEqual(max(scores), max(o["score"] for o in all_of_them["objects"]))
            for x0, y0, x1, y1 in (o["box"] for o in some["objects"]):
                self.assertTrue(0 <= x0 < x1 <= 101 and 0 <= y0 < y1 <= 67)

    def test_the_tokenizers_limit(self):
        long = "a dog and a red car and a blue house and a tree and the sky and more words " * 20
        done, (line,) = detect(MODELS / "owlvit", [SQUARE], [long], "--threshold", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(all(math.isfinite(o["score"]) for o in line["objects"]))

    def test_numbers_that_are_none(self):
        for tensor, number in (
                ("owlvit.text_model.final_layer_norm.weight", math.nan),
                ("owlvit.vision_model.embeddings.patch_embedding.weight", math.inf),
                ("owlvit.text_projection.weight", -math.inf),
                ("class_head.logit_shift.bias", -math.inf),
                ("box_head.dense2.bias", math.nan)):
            with Copy("owlvit") as copy:
                copy.poke(tensor, number)
                self.fails(copy.folder, "detector", "not finite")

    def test_tensors_that_do_not_fit(self):
        with Copy("owlvit") as copy:
            copy.rename("class_head.dense0.weight", "class_head.dense1.weight")
            self.fails(copy.folder, "no tensor class_head.dense0.weight")
        with Copy("owlvit") as copy:
            copy.rename("owlvit.vision_model.pre_layernorm.weight", "other")
            copy.rename("box_head.dense2.weight", "owlvit.vision_model.pre_layernorm.weight")
            self.fails(copy.folder, "owlvit.vision_model.pre_layernorm.weight", ", not ")

    def test_configurations_that_do_not_fit(self):
        with Copy("owlvit") as copy:
            copy.set("config.json", projection_dim=7)
            self.fails(copy.folder, "projection_dim is 7")
        for name in ("owlvit", "owlv2"):
            with Copy(name) as copy:
                copy.set("preprocessor_config.json", size={"height": 50, "width": 50})
                self.fails(copy.folder, "50 x 50")
        with Copy("owlv2") as copy:
            copy.set("preprocessor_config.json", do_pad=False)
            self.fails(copy.folder, "not padded")


def main():
    global PROGRAM
    if len(sys.argv) != 2:
        print(__doc__.strip())
        return 2
    PROGRAM = sys.argv[1]
    if not os.environ.get("ITEM_ENGINE_PATH"):
        print("skipped: the engine is not built")
        return 77
    result = unittest.TextTestRunner(verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Answers))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

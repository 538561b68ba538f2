#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`item` on published models that were spoilt, and on pictures and texts of unusual size.

usage: test_broken.py PROGRAM

Each spoilt model must be refused with a line that names what is wrong, and nothing may crash.
Skipped (exit code 77) where the engine is missing.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "models"
PICTURE = GOLDEN / "pictures" / "64x48.png"
PROGRAM = None
LAYER = "vision_model.encoder.layers.1."


def ask(*args):
    """(exit code, answers) of the program; a code below 0 would be a crash."""
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, timeout=120)
    text = done.stdout.decode()
    return done.returncode, [json.loads(line) for line in text.splitlines()], done.stderr.decode()


class Tensors:
    """A safetensors file in memory: name -> [dtype, shape, bytes]."""

    def __init__(self, path):
        data = path.read_bytes()
        size, = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + size])
        self.all = {name: [t["dtype"], t["shape"], data[8 + size:][slice(*t["data_offsets"])]]
                    for name, t in header.items() if name != "__metadata__"}

    def write(self, path):
        header, body = {}, b""
        for name, (dtype, shape, data) in self.all.items():
            header[name] = {"dtype": dtype, "shape": shape,
                            "data_offsets": [len(body), len(body) + len(data)]}
            body += data
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_png(path, width, height):
    """A grey picture."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + b"\x80" * width) * height
    path.write_bytes(b"\x89PNG\r\n\x1a\n" +
                     chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Broken(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.model = Path(self.folder.name) / "model"
        shutil.copytree(GOLDEN / "clip", self.model)
        self.weights = self.model / "model.safetensors"
        self.tensors = Tensors(self.weights)

    def tearDown(self):
        self.folder.cleanup()

    def refused(self, *said):
        code, answers, complaint = ask("embed", "--model", self.model, "--json", "--text", "a dog")
        self.assertIn(code, (1, 2), complaint)
        message = answers[0]["error"]["message"] if answers else complaint
        for part in said:
            self.assertIn(part, message)

    def configure(self, **values):
        path = self.model / "config.json"
        facts = json.loads(path.read_text())
        for section, changes in values.items():
            facts[section].update(changes)
        path.write_text(json.dumps(facts))

    def test_missing_tensor(self):
        del self.tensors.all[LAYER + "mlp.fc1.weight"]
        self.tensors.write(self.weights)
        self.refused("no tensor " + LAYER + "mlp.fc1.weight, which should be 192x48")

    def test_extra_tensor(self):
        self.tensors.all["vision_model.head.weight"] = ["F32", [1], b"\0\0\0\0"]
        self.tensors.write(self.weights)
        self.refused("the model has no place for vision_model.head.weight")

    def test_extra_block(self):
        self.configure(vision_config={"num_hidden_layers": 1})
        self.refused(LAYER + "layer_norm1.weight", "1 blocks")

    def test_wrong_shape(self):
        tensor = self.tensors.all[LAYER + "self_attn.q_proj.weight"]
        tensor[1] = [tensor[1][0] * 2, tensor[1][1] // 2]
        self.tensors.write(self.weights)
        self.refused(LAYER + "self_attn.q_proj.weight is ", ", not ")

    def test_numbers_that_are_none(self):
        for bits in (b"\0\0\xc0\x7f", b"\0\0\x80\x7f"):  # NaN, infinity
            with self.subTest(bits=bits):
                tensor = self.tensors.all["text_model.encoder.layers.0.mlp.fc2.bias"]
                tensor[2] = bits * (len(tensor[2]) // 4)
                self.tensors.write(self.weights)
                self.refused("embedder", "not finite")

    def test_another_activation(self):
        self.configure(vision_config={"hidden_act": "swish_of_somebody"})
        self.refused("vision_config.hidden_act", "swish_of_somebody")

    def test_numbers_out_of_range(self):
        for key, value in (("hidden_size", 0), ("num_attention_heads", -3), ("patch_size", 1e9),
                           ("num_hidden_layers", 2.5), ("layer_norm_eps", 7)):
            with self.subTest(key=key):
                self.configure(vision_config={key: value})
                self.refused("vision_config." + key)
                shutil.copy(GOLDEN / "clip" / "config.json", self.model)

    def test_heads_that_do_not_divide(self):
        self.configure(text_config={"num_attention_heads": 5})
        self.refused("5 heads do not divide a width")

    def test_tokenizer_of_another_size(self):
        self.configure(text_config={"vocab_size": 300})
        self.refused("300")

    def test_truncated_weights(self):
        whole = self.weights.read_bytes()
        for tenth in range(10):
            with self.subTest(tenth=tenth):
                self.weights.write_bytes(whole[:len(whole) * tenth // 10])
                self.refused("model.safetensors")

    def test_preprocessing_that_does_not_fit(self):
        path = self.model / "preprocessor_config.json"
        facts = json.loads(path.read_text())
        path.write_text(json.dumps(facts | {"crop_size": 9}))
        self.refused("preprocessor", "crop_size is 9")


class Unusual(unittest.TestCase):
    def test_pictures(self):
        calls = {"clip": ["embed"], "clip-half": ["embed"], "chinese-clip": ["embed"],
                 "blip": ["caption"], "owlvit": ["detect", "--query", "a dog"],
                 "owlv2": ["detect", "--query", "a dog"]}
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{w}x{h}.png" for w, h in ((1, 1), (1, 20000), (20000, 1))]
            for file in files:
                write_png(file, *map(int, file.stem.split("x")))
            for model, (command, *more) in calls.items():
                with self.subTest(model=model):
                    code, answers, complaint = ask(command, "--model", GOLDEN / model, "--json",
                                                   *more, "--", *files)
                    self.assertEqual(code, 0, (answers, complaint))
                    self.assertEqual(len(answers), 3)

    def test_prompt_beyond_the_caption(self):
        code, answers, complaint = ask("caption", "--model", GOLDEN / "blip", "--json", "--prompt",
                                       "a dog on the beach " * 150, "--", PICTURE)
        self.assertEqual(code, 1, complaint)
        self.assertIn("prompt", answers[0]["error"]["message"])

    def test_model_of_another_stage(self):
        code, answers, complaint = ask("caption", "--model", GOLDEN / "clip", "--json", PICTURE)
        self.assertEqual(code, 1, complaint)
        self.assertIn(f"{GOLDEN / 'clip'} has none", answers[0]["error"]["message"])

    def test_queries(self):
        given = [part for i in range(999) for part in ("--query", f"dog number {i}")]
        code, answers, complaint = ask("detect", "--model", GOLDEN / "owlvit", "--json", *given,
                                       "--query", "", "--threshold", "0.9", "--", PICTURE)
        self.assertEqual(code, 0, complaint)
        self.assertIn("objects", answers[0])

    def test_device_that_is_not_there(self):
        code, answers, complaint = ask("embed", "--model", GOLDEN / "clip", "--json", "--device",
                                       "cuda:7", "--text", "a")
        self.assertIn(code, (1, 2))
        self.assertIn("cuda", (answers[0]["error"]["message"] if answers else complaint).lower())


def main():
    global PROGRAM
    if len(sys.argv) < 2:
        print(__doc__.strip())
        return 2
    PROGRAM = sys.argv.pop(1)
    if not os.environ.get("ITEM_ENGINE_PATH"):
        print("skipped: the engine is not built")
        return 77
    unittest.main(verbosity=2)


if __name__ == "__main__":
    sys.exit(main())

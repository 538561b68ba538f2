#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`item` on configurations in forms that our own models do not have: what two files say in two
ways must give the same vectors, and what is not computed must be refused by its name.

usage: test_forms.py PROGRAM

Skipped (exit code 77) where the engine is missing.
"""
import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import compare

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "models"
PICTURE = GOLDEN / "pictures" / "64x48.png"
PROGRAM = None


def merged(facts, changes):
    for key, value in changes.items():
        facts[key] = merged(dict(facts.get(key) or {}), value) if isinstance(value, dict) else value
    return facts


class Forms(unittest.TestCase):
    """The models clip and clip-open have the same weights."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def vectors(self, model, without=(), **files):
        """Of a text and a picture, with values of the model's JSON files changed."""
        return self.changed(model, without, **files).embed(["a dog"], [PICTURE])

    def changed(self, model, without=(), **files):
        copy = Path(self.folder.name) / "model"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(GOLDEN / model, copy)
        for name, changes in files.items():
            path = copy / f"{name}.json"
            facts = json.loads(path.read_text()) if path.exists() else {}
            path.write_text(json.dumps(merged(facts, changes)))
        for name in without:
            (copy / name).unlink()
        return compare.Program(PROGRAM, copy)

    def assert_same(self, got, wanted):
        for mine, theirs in zip(got, wanted, strict=True):
            _, fault = compare.vector(mine, theirs)
            self.assertIsNone(fault)

    def assert_others(self, got, wanted):
        self.assertGreater(max(abs(a - b) for a, b in zip(got, wanted)), 1e-3)

    def test_pixels_of_open_clip(self):
        half, plain = [0.5, 0.5, 0.5], self.vectors("clip")
        for said, same in (
                ({"mean": half, "std": half}, {"image_mean": half, "image_std": half}),
                ({"interpolation": "bilinear"}, {"resample": 2}),
                ({"resize_mode": "squash"}, {"size": {"shortest_edge": None, "height": 32,
                                                      "width": 32}}),
                ({"interpolation": "bicubic", "resize_mode": "shortest"}, {})):
            with self.subTest(said=said):
                wanted = self.vectors("clip", preprocessor_config=same)
                got = self.vectors("clip-open", open_clip_config={"preprocess_cfg": said})
                self.assert_same(got, wanted)
                if same:
                    self.assert_others(wanted[1], plain[1])

    def test_values_of_another_kind(self):
        one, three = {"image_mean": 0.4}, {"image_mean": [0.4, 0.4, 0.4]}
        self.assert_same(self.vectors("clip", preprocessor_config=one),
                         self.vectors("clip", preprocessor_config=three))
        for said, why in (({"image_mean": [0.4, 0.4]}, "image_mean has no number for each"),
                          ({"size": "32"}, "size is no number"),
                          ({"image_std": [1, 1, "1"]}, "image_std.2 is no number"),
                          ({"use_square_size": True}, "use_square_size is not supported")):
            with self.subTest(said=said), self.assertRaisesRegex(RuntimeError, why):
                self.vectors("clip", preprocessor_config=said)

    def test_length_of_captions(self):
        """Without max_tokens as many as text_config says, or 20 behind the prompt."""
        def said(facts=None, **options):
            program = self.changed("blip", **({"config": {"text_config": facts}} if facts else {}))
            return program.caption([PICTURE], **options)[0]["tokens"]
        never = {"sep_token_id": 3}  # an end that is not said
        self.assertEqual(len(said(never)), 20)
        self.assertEqual(len(said(never, prompt="a dog")), 20)
        self.assertEqual(len(said(never | {"max_length": 12})), 11)
        self.assertEqual(len(said(never | {"max_length": 12}, max_tokens=9)), 8)

    def test_processors_in_one_file(self):
        """As transformers 5 saves them; what is not nested says nothing of pictures."""
        half = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
        older = "preprocessor_config.json"
        facts = json.loads((GOLDEN / "clip" / older).read_text())
        wanted, plain = self.vectors("clip", preprocessor_config=half), self.vectors("clip")
        self.assert_others(wanted[1], plain[1])
        whole = {"processor_class": "CLIPProcessor", "image_processor": facts | half}
        self.assert_same(self.vectors("clip", [older], processor_config=whole), wanted)
        self.assert_same(self.vectors("clip", processor_config=whole), wanted)
        self.assert_same(self.vectors("clip", processor_config={"processor_class": "x"}), plain)

    def test_open_clip_goes_by_its_own_file(self):
        other = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
        self.assert_same(self.vectors("clip-open", preprocessor_config=other),
                         self.vectors("clip"))

    def test_variants_of_open_clip(self):
        for part, key, value in (
                ("vision_cfg", "pool_type", "avg"), ("vision_cfg", "timm_model_name", "vit_base"),
                ("vision_cfg", "global_average_pool", True),
                ("vision_cfg", "final_ln_after_pool", True), ("text_cfg", "pool_type", "first"),
                ("text_cfg", "hf_model_name", "roberta-base"),
                ("text_cfg", "no_causal_mask", True),
                ("text_cfg", "act_kwargs", {"approximate": "tanh"})):
            with self.subTest(key=key), self.assertRaisesRegex(RuntimeError, f"{part}.{key}.* is "
                                                               "not supported"):
                self.vectors("clip-open", open_clip_config={"model_cfg": {part: {key: value}}})
        with self.assertRaisesRegex(RuntimeError, "resize_mode .*longest.* is not supported"):
            self.vectors("clip-open",
                         open_clip_config={"preprocess_cfg": {"resize_mode": "longest"}})
        none = {"pool_type": "tok", "timm_model_name": None, "global_average_pool": False}
        self.assert_same(self.vectors("clip-open",
                                      open_clip_config={"model_cfg": {"vision_cfg": none}}),
                         self.vectors("clip"))

    def test_sections_of_early_files(self):
        """text_config_dict stands for all of text_config; what it lacks is the class's default."""
        facts = json.loads((GOLDEN / "clip" / "config.json").read_text())
        plain = self.vectors("clip")
        for part in ("text_config", "vision_config"):
            with self.subTest(part=part):
                exact = merged(dict(facts[part]), {"hidden_act": "gelu"})
                wanted = self.vectors("clip", config={part: exact})
                self.assert_others(wanted[part != "text_config"], plain[part != "text_config"])
                self.assert_same(self.vectors("clip", config={part + "_dict": exact}), wanted)
                self.assert_same(self.vectors("clip", config={part + "_dict": facts[part],
                                                              part: {"hidden_act": "gelu"}}),
                                 plain)
                self.assert_same(self.vectors("clip", config={part + "_dict": None}), plain)


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

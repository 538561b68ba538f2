#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers of `item` and of the examples with the small pack and the engine.

usage: test_answers.py PROGRAM EXAMPLES-FOLDER [TEST]...

Skipped (exit code 77) where the engine or the small pack is missing.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import make_inputs
from make_inputs import PICTURES, ROOT

PROGRAM = EXAMPLES = None
PACK = Path(os.environ.get("ITEM_PACK_PATH", ROOT / "packs" / "small"))
CHECK_KEYS = ["file", "width", "height", "caption", "caption_source", "similarity", "objects",
              "probability", "score", "verdict", "reason", "threshold", "timings_ms", "pack",
              "precision", "fingerprint", "warnings", "provenance"]
SOME = [PICTURES / f"{n}.jpg" for n in ("chelsea", "coffee", "surfing_dog")]


def item(*args, code=0, **more):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, timeout=300, **more)
    if done.returncode != code:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def lines(*args, **more):
    return [json.loads(line) for line in item(*args, "--json", "--pack", PACK, **more).splitlines()]


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.answers = lines("check", *SOME)

    def test_keys(self):
        for answer, path in zip(self.answers, SOME):
            self.assertEqual(answer["file"], str(path))
            self.assertLessEqual(set(CHECK_KEYS), set(answer))
            self.assertTrue(answer["caption"])
            self.assertEqual(answer["caption_source"], "model")
            self.assertIn(answer["verdict"], ("real", "unsure", "ai"))
            self.assertTrue(0 <= answer["probability"] <= 1)
            self.assertEqual(len(answer["fingerprint"]), 64)
            for thing in answer["objects"]:
                self.assertLessEqual({"phrase", "box", "score", "similarity", "contribution"},
                                     set(thing))
                x0, y0, x1, y1 = thing["box"]
                self.assertTrue(0 <= x0 < x1 <= answer["width"])
                self.assertTrue(0 <= y0 < y1 <= answer["height"])

    def test_alone_and_together(self):
        for one, path in zip(self.answers, SOME):
            alone = lines("check", "--batch", 1, path)[0]
            self.assertEqual(alone["caption"], one["caption"])
            self.assertEqual(alone["verdict"], one["verdict"])
            self.assertAlmostEqual(alone["probability"], one["probability"], delta=1e-4)
            self.assertEqual(alone["fingerprint"], one["fingerprint"])

    def test_bad_ones_between(self):
        with tempfile.TemporaryDirectory() as folder:
            bad = make_inputs.write(Path(folder), make_inputs.BAD)
            mixed = [SOME[0], *bad[:3], SOME[1], *bad[3:], SOME[2]]
            answers = lines("check", *mixed, code=1)
        self.assertEqual([a["file"] for a in answers], [str(p) for p in mixed])
        good = [a for a in answers if "error" not in a]
        self.assertEqual([a["caption"] for a in good], [a["caption"] for a in self.answers])

    def test_strange_shapes(self):
        with tempfile.TemporaryDirectory() as folder:
            answers = lines("check", *make_inputs.write(Path(folder), make_inputs.GOOD))
        for answer in answers:
            self.assertIn(answer["verdict"], ("real", "unsure", "ai"))

    def test_own_caption(self):
        answer = lines("check", "--caption", "a cat", SOME[0])[0]
        self.assertEqual((answer["caption"], answer["caption_source"]), ("a cat", "caller"))
        self.assertEqual(answer["verdict"], self.answers[0]["verdict"])
        empty = lines("check", "--caption", "", SOME[0])[0]
        self.assertEqual(empty["verdict"], self.answers[0]["verdict"])

    def test_for_people(self):
        said = item("check", "--pack", PACK, *SOME)
        self.assertNotIn("\033", said)
        for answer, path in zip(self.answers, SOME):
            self.assertIn(str(path), said)
            self.assertIn(answer["caption"], said)

    def test_thresholds(self):
        for name in ("fpr1", "fpr5", "0.7"):
            answer = lines("check", "--threshold", name, SOME[0])[0]
            self.assertIn(name, json.dumps(answer["threshold"]))

    def test_interrupt(self):
        with tempfile.TemporaryFile() as names:
            names.write(b"".join(os.fsencode(p) + b"\n" for p in SOME * 200))
            names.seek(0)
            with subprocess.Popen([PROGRAM, "check", "--json", "--pack", PACK, "-"], stdin=names,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                process.stdout.readline()
                process.send_signal(signal.SIGINT)
                rest, said = process.stdout.read(), process.stderr.read()
        self.assertEqual(process.returncode, 130, said)
        self.assertEqual(said, b"")
        self.assertLess(len(rest.splitlines()), len(SOME) * 100)  # it was asked for twice as many
        for line in rest.splitlines():
            json.loads(line)


MODELS = ROOT / "tests" / "golden" / "models"


class Published(unittest.TestCase):
    def test_a_device_reaches_every_family(self):
        for name, words in (("clip", ["embed", "--text", "a"]), ("blip", ["caption", SOME[0]]),
                            ("clip-open", ["embed", "--text", "a"]),
                            ("chinese-clip", ["embed", "--text", "a"]),
                            ("owlvit", ["detect", "--query", "a", SOME[0]]),
                            ("owlv2", ["detect", "--query", "a", SOME[0]])):
            done = subprocess.run([PROGRAM, words[0], "--json", "--device", "cuda:0", "--model",
                                   MODELS / name, *words[1:]], capture_output=True)
            answer = json.loads(done.stdout)
            self.assertEqual(done.returncode, 1 if "error" in answer else 0)
            if "error" in answer:  # no libtorch with CUDA, or no GPU
                self.assertIn("this libtorch has no CUDA", answer["error"]["message"])

    def test_stages_of_different_origin(self):
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "mixed"
            small = ROOT / "packs" / "small"
            item("pack", "create", "--captioner", small, "--detector", small,
                 "--clip", MODELS / "clip", made)
            answer = json.loads(item("check", "--json", "--pack", made, SOME[0]))
            self.assertEqual(answer["caption"], lines("check", SOME[0])[0]["caption"])
            self.assertEqual(answer["verdict"], "none")
            self.assertIn("item train", answer["reason"]["text"])
            self.assertTrue(answer["backends"]["embedder"].startswith("clip/"))


class Stages(unittest.TestCase):
    def test_caption(self):
        answers = lines("caption", *SOME)
        self.assertEqual([a["file"] for a in answers], [str(p) for p in SOME])
        self.assertTrue(all(a["caption"] for a in answers))
        self.assertTrue(lines("caption", "--beams", 1, SOME[0])[0]["caption"])
        self.assertTrue(all(isinstance(a["tokens"], list) for a in answers))

    def test_detect(self):
        answer = lines("detect", "--query", "a cat", "--query", "a submarine", SOME[0])[0]
        self.assertEqual(answer["file"], str(SOME[0]))
        self.assertIn("a cat", [o["query"] for o in answer["objects"]])
        for thing in answer["objects"]:
            self.assertEqual(set(thing), {"query", "box", "score"})
        none = lines("detect", "--query", "a cat", "--threshold", "1", SOME[0])[0]
        self.assertEqual(none["objects"], [])

    def test_embed(self):
        texts, files = ["a cat", ""], SOME[:2]
        answers = lines("embed", "--text", texts[0], "--text", texts[1], *files)
        self.assertEqual([a.get("text") for a in answers], [*texts, None, None])
        self.assertEqual([a.get("file") for a in answers], [None, None, *map(str, files)])
        for answer in answers:
            self.assertAlmostEqual(sum(x * x for x in answer["embedding"]), 1, delta=1e-4)
        bad = lines("embed", "--text", "\udcff", "--text", "a cat", code=1)
        self.assertIn("error", bad[0])
        for a, b in zip(bad[1]["embedding"], answers[0]["embedding"]):
            self.assertAlmostEqual(a, b, delta=1e-5)
        with tempfile.TemporaryDirectory() as folder:
            bad = make_inputs.write(Path(folder), {"x.jpg": b"no"})[0]
            mixed = lines("embed", files[0], bad, files[1], code=1)
        self.assertIn("error", mixed[1])
        self.assertEqual(mixed[2]["file"], str(files[1]))
        for a, b in zip(mixed[2]["embedding"], answers[3]["embedding"]):
            self.assertAlmostEqual(a, b, delta=1e-5)

    def test_doctor(self):
        said = item("doctor", "--pack", PACK)
        for word in ("BLAS", "GFLOP/s", "threads", "processor", "hash", "JPEG, PNG"):
            self.assertIn(word, said)


class Training(unittest.TestCase):
    """Twelve pictures train nothing of use; the way from folders to a head and back is tried."""

    def test_folders_to_head(self):
        made = {"ai": ["fish", "hedgehog", "watch", "surfing_dog"],
                "real": ["astronaut", "chelsea", "coffee", "rocket"]}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for label, pictures in made.items():
                for i, picture in enumerate(pictures):
                    place = folder / "set" / label / f"source{i % 2}"
                    place.mkdir(parents=True, exist_ok=True)
                    shutil.copy(PICTURES / f"{picture}.jpg", place)
            (folder / "set" / "ai" / "source0" / "broken.jpg").write_bytes(b"no")
            head, vectors = folder / "head.safetensors", folder / "vectors.safetensors"
            report = lines("train", "--out", head, "--save", vectors, "--hidden", "0",
                           folder / "set", code=1)[0]  # one picture failed, the rest did not
            self.assertEqual(report["data"]["rows"], 8)
            self.assertEqual(report["data"]["failed"], 1)
            again = folder / "again.safetensors"
            item("train", "--out", again, "--hidden", "0", vectors)
            self.assertEqual(head.read_bytes(), again.read_bytes())
            self.refuses_what_it_was_trained_on(head, vectors)
            for label, picture in (("ai", "astronaut_horse_desert"), ("real", "flower")):
                (folder / "new" / label / "other").mkdir(parents=True)
                shutil.copy(PICTURES / f"{picture}.jpg", folder / "new" / label / "other")
            measured = json.loads(item("eval", "--json", "--head", head, folder / "new"))
            self.assertEqual(measured["data"]["rows"], 2)
            answer = lines("check", "--head", head, SOME[0])[0]
            self.assertIn(answer["verdict"], ("real", "unsure", "ai"))
            self.refuses_another_embedder(folder, head)
            self.too_few_to_calibrate(folder, head)

    def refuses_what_it_was_trained_on(self, head, vectors):
        done = subprocess.run([PROGRAM, "eval", "--head", head, vectors], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("was trained on", done.stderr)

    def too_few_to_calibrate(self, folder, head):
        """A folder as it is: what is no picture is named, the rest counted and found too few."""
        mine = folder / "mine"
        mine.mkdir()
        for picture in ("china", "flower"):
            shutil.copy(PICTURES / f"{picture}.jpg", mine)
        (mine / "notes.txt").write_text("no picture")
        out = folder / "calibrated.safetensors"
        done = subprocess.run([PROGRAM, "calibrate", "--pack", PACK, "--out", out, head, mine],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("left out: " + str(mine / "notes.txt"), done.stderr)
        self.assertIn("2 different photographs are too few", done.stderr)
        self.assertIn("needs 59", done.stderr)
        self.assertFalse(out.exists())

    def refuses_another_embedder(self, folder, head):
        other = make_inputs.tiny_pack(folder / "other")
        done = subprocess.run([PROGRAM, "check", "--pack", other, "--head", head, SOME[0]],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("embedder", done.stderr)


class Examples(unittest.TestCase):
    def run_example(self, name, *args):
        done = subprocess.run([Path(EXAMPLES) / ("example-" + name), *map(str, args)],
                              capture_output=True, text=True, timeout=300,
                              env={**os.environ, "EXAMPLE_PACK": str(PACK)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_check(self):
        self.assertIn("probability of AI", self.run_example("check", SOME[0], PACK))

    def test_batch(self):
        said = self.run_example("batch", *SOME * 4)
        self.assertEqual(said.count("\n"), 12)

    def test_own_embedder(self):
        answer = json.loads(self.run_example("own_embedder", SOME[0]))
        self.assertIn("similarity", answer)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PROGRAM, EXAMPLES = sys.argv.pop(1), sys.argv.pop(1)
    if not os.environ.get("ITEM_ENGINE_PATH") or not (PACK / "item.json").exists():
        print("skipped: the engine is not built, or its pack is not there")
        sys.exit(77)
    unittest.main(verbosity=1)

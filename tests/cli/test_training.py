#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`item train` and `item calibrate` on files of vectors, and on what is wrong: no engine is needed.

usage: test_training.py PROGRAM [TEST]...
"""
import json
import random
import resource
import signal
import subprocess
import time

import make_inputs
import vectors
from cases import Case, command, item, lines, main

FAST = ["--hidden", "0", "--layout", "cosine/global/1", "--epochs", "5"]


class Vectors(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.train = vectors.write(cls.work / "train.safetensors", vectors.rows(40, 4))
        cls.own = vectors.write(cls.work / "own.safetensors",
                                vectors.rows(400, 1, seed=2, labels=(0,), hard=1.5))
        cls.head = cls.work / "head.safetensors"
        done = item("train", "--out", cls.head, *FAST, cls.train)
        assert done.returncode == 0, done.stderr


class Training(Vectors):
    def test_one_of_several(self):
        out = self.work / "chosen.safetensors"
        done = item("train", "--json", "--out", out, "--penalty", "0.25", "--hidden", "0",
                    "--hidden", "8", "--layout", "cosine/global/1", "--layout", "picture/1",
                    "--epochs", "20", self.train)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = lines(done)[0]
        table = report["candidates"]["table"]
        self.assertEqual([(c["layout"], c["hidden"]) for c in table],
                         [("cosine/global/1", []), ("cosine/global/1", [8]),
                          ("picture/1", []), ("picture/1", [8])])
        self.assertEqual([c["penalty"] for c in table], [0.25, None, 0.25, None])
        chosen = [c for c in table if c["chosen"]]
        self.assertEqual(len(chosen), 1)
        self.assertEqual(report["head"]["layout"], chosen[0]["layout"])
        self.assertEqual(chosen[0]["layout"], "cosine/global/1")
        first = out.read_bytes()
        item("train", "--out", out, "--penalty", "0.25", "--hidden", "0", "--hidden", "8", "--layout",
             "cosine/global/1", "--layout", "picture/1", "--epochs", "20", self.train)
        self.assertEqual(out.read_bytes(), first)

    def test_rules_of_thresholds(self):
        out = self.work / "ruled.safetensors"
        done = item("train", "--json", "--out", out, "--threshold-rule", "worst-source", *FAST,
                    self.train)
        self.assertEqual(lines(done)[0]["head"]["thresholds"]["rule"], "worst-source")
        self.fails(item("train", "--out", out, "--threshold-rule", "best", *FAST, self.train), 1,
                   "pooled or worst-source, not `best`")

    def test_without_limits_the_report_says_why(self):
        """Labels that cannot be told apart, of photographs that are not too few."""
        path = vectors.write(self.work / "alike.safetensors", vectors.rows(60, 2, hard=2.0))
        args = ["train", "--out", self.work / "mute.safetensors", *FAST, path]
        report = lines(item(*args, "--json"))[0]
        self.assertIsNone(report["verdicts"]["threshold_score"])
        why = [w for w in report["warnings"] if "with fpr1 no picture is called `ai`" in w]
        self.assertEqual(len(why), 1)
        self.assertIn("Photographs score highest as often as AI pictures do", why[0])
        self.assertIn(why[0], item(*args).stdout.decode())

    def refused(self, pictures, *words, **meta):
        """Nothing is written, and one line says why."""
        path = vectors.write(self.work / "bad.safetensors", pictures, **meta)
        out = self.work / "none.safetensors"
        self.fails(item("train", "--out", out, *FAST, path), 1, *words)
        self.assertFalse(out.exists())

    def test_too_little(self):
        self.refused(vectors.rows(20, 2, labels=(1,)), "at least two scenes of each label")
        self.refused(vectors.rows(1, 1) + vectors.rows(1, 1, labels=(0,)), "two scenes of each")
        self.refused([], "empty")

    def test_one_source_is_told(self):
        path = vectors.write(self.work / "one.safetensors", vectors.rows(30, 1))
        done = item("train", "--out", self.work / "one-head.safetensors", *FAST, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"too few sources", done.stdout)

    def test_broken_vectors(self):
        pictures = vectors.rows(20, 2)
        pictures[3]["image"] = [float("nan")] * vectors.WIDTH
        self.refused(pictures, "bad.safetensors")
        pictures = vectors.rows(20, 2)
        pictures[5]["label"] = 7
        self.refused(pictures, "bad.safetensors")
        self.refused(vectors.rows(20, 2), "format 99", format=99)
        cut = self.work / "cut.safetensors"
        cut.write_bytes(self.train.read_bytes()[:-100])
        self.fails(item("train", "--out", self.work / "n", *FAST, cut), 1, "cut.safetensors")

    def test_killed_at_any_moment(self):
        """There is the whole head, or none."""
        out, chance = self.work / "killed.safetensors", random.Random(1)
        whole, made = self.head.read_bytes(), 0
        started = time.monotonic()
        item("train", "--out", out, *FAST, self.train)
        usual = time.monotonic() - started
        for _ in range(25):
            out.unlink(missing_ok=True)
            with subprocess.Popen(command("train", "--out", out, *FAST, self.train),
                                  stdout=subprocess.DEVNULL) as run:
                time.sleep(usual * chance.uniform(0.3, 1.2))
                run.kill()
            if out.exists():
                made += 1
                self.assertEqual(out.read_bytes(), whole)
        self.assertLess(made, 25)  # some were killed before their end, else nothing was tried

    def test_full_disk(self):
        """A file that cannot grow: the head that was there stays, and nothing lies beside it."""
        folder = self.work / "full"
        folder.mkdir()
        out = folder / "head.safetensors"
        out.write_bytes(b"as it was")
        done = subprocess.run(command("train", "--out", out, "--json", *FAST, self.train),
                              capture_output=True, restore_signals=False,
                              preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                  resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                     (256, 256))))
        self.fails(done, 1, str(out), "File too large")
        self.assertEqual(out.read_bytes(), b"as it was")
        self.assertEqual(list(folder.iterdir()), [out])
        json.loads(done.stdout)  # the report is known all the same


class Calibration(Vectors):
    def test_own_photographs(self):
        out = self.work / "mine.safetensors"
        done = item("calibrate", "--json", "--out", out, "--calibrated-on", "holidays", self.head,
                    self.own)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = lines(done)[0]
        promise = report["head"]["thresholds"]["fpr5"]
        self.assertEqual((promise["real"], promise["allowed"], promise["confidence"]),
                         (400, 12, 0.95))
        self.assertEqual(report["head"]["thresholds"]["calibrated_on"], "holidays")
        self.assertLessEqual(report["thresholds"][1]["called"]["ai"], 12)
        again = self.work / "again.safetensors"
        done = item("calibrate", "--out", again, "--calibrated-on", "holidays", self.head, self.own)
        self.assertIn(b"400 different photographs", done.stdout)
        self.assertEqual(out.read_bytes(), again.read_bytes())

    def test_too_few(self):
        few = vectors.write(self.work / "few.safetensors", vectors.rows(40, 1, labels=(0,)))
        out = self.work / "nothing.safetensors"
        self.fails(item("calibrate", "--out", out, self.head, few), 1, "40 different photographs",
                   "needs 59", "needs 299")
        self.assertFalse(out.exists())

    def test_what_is_no_photograph(self):
        self.fails(item("calibrate", "--out", self.work / "n", self.head, self.train), 1,
                   "160 of 320 pictures have the label ai")

    def test_head_of_another_pack(self):
        other = vectors.write(self.work / "other.safetensors", vectors.rows(80, 1, labels=(0,)),
                              embedder="others 2")
        self.fails(item("calibrate", "--out", self.work / "n", self.head, other), 1,
                   "embedder `tests 1`", "others 2")
        head = self.work / "tiny.safetensors"
        make_inputs.tiny_head(head, 300)
        self.fails(item("calibrate", "--out", self.work / "n", head, self.own), 1, "vectors of 8")

    def test_no_head(self):
        out = self.work / "n"
        self.fails(item("calibrate", "--out", out, self.work / "gone", self.own), 1, "gone")
        self.fails(item("calibrate", "--out", out, self.own, self.own), 1, "no head")
        self.fails(item("calibrate", "--out", out, "--pack", self.pack, self.work / "gone",
                        "a.jpg"), 2, "gone")

    def test_usage(self):
        out = self.work / "n"
        self.fails(item("calibrate", "--out", out, self.head), 2, "photographs of your own")
        self.fails(item("calibrate", self.head, self.own), 2, "--out")
        for share in ("1", "0.3", "95", "much", "0.9x", ""):
            self.fails(item("calibrate", "--out", out, "--confidence", share, self.head, self.own),
                       2, "--confidence")
        self.fails(item("calibrate", "--out", self.work, self.head, self.own), 2, "no regular file")


if __name__ == "__main__":
    main(__doc__)

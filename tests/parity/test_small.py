#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`item` on the tiny published models of tests/golden/models against the reference's answers.

usage: test_small.py PROGRAM [MODEL]...      MODEL: clip, blip-words and so on; all by default

Skipped (exit code 77) where the engine is missing.
"""
import itertools
import json
import os
import sys
import unittest
from pathlib import Path

import compare

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "models"
PICTURES = GOLDEN / "pictures"
PROGRAM = None


def grouped(entries, *keys):
    """Entries that one call answers, with what they share."""
    def key(entry):
        return json.dumps([entry[k] for k in keys])
    for shared, group in itertools.groupby(sorted(entries, key=key), key):
        yield json.loads(shared), list(group)


class Model(unittest.TestCase):
    """One test of all that is stored for a model; made by suite()."""

    def __init__(self, method, name):
        super().__init__(method)
        self.wanted = json.loads((GOLDEN / "expected" / f"{name}.json").read_text("utf-8"))
        self.program = compare.Program(PROGRAM, GOLDEN / name,
                                       ["--precision", "fp32"])
        self.name = name

    def __str__(self):
        return f"{self.name}: {self._testMethodName}"

    def test_tokens(self):
        texts = self.wanted.get("texts", [])
        got = self.program.tokens([t["text"] for t in texts])
        for text, tokens in zip(texts, got):
            self.assertEqual(tokens, text["tokens"], text["text"])

    def test_vectors(self):
        texts, files = self.wanted["texts"], self.wanted["pictures"]
        got = self.program.embed([t["text"] for t in texts], [PICTURES / f["file"] for f in files])
        for mine, wanted in zip(got, texts + files, strict=True):
            _, fault = compare.vector(mine, wanted["embedding"])
            self.assertIsNone(fault, wanted.get("text", wanted.get("file")))

    def test_captions(self):
        for (beams, prompt, most), group in grouped(self.wanted["captions"], "beams", "prompt",
                                                    "max_tokens"):
            got = self.program.caption([PICTURES / c["file"] for c in group], beams, prompt, most)
            for mine, wanted in zip(got, group, strict=True):
                result, why = compare.caption(mine, wanted, beams, self.wanted["end"])
                self.assertNotEqual(result, "differs", f'{wanted["file"]}, {beams} beams: {why}')

    def test_captions_in_bf16(self):
        """Near ties may go the other way: half of them have to be those of fp32."""
        program = compare.Program(PROGRAM, GOLDEN / self.name, ["--precision", "bf16"])
        plain = [c for c in self.wanted["captions"] if c["beams"] == 1 and not c["prompt"]]
        got = program.caption([PICTURES / c["file"] for c in plain], 1, None,
                              plain[0]["max_tokens"])
        same = [compare.said(mine["tokens"], self.wanted["end"]) ==
                compare.said(wanted["tokens"], self.wanted["end"])
                for mine, wanted in zip(got, plain, strict=True)]
        self.assertGreaterEqual(2 * sum(same), len(same))

    def test_objects(self):
        for (queries, threshold), group in grouped(self.wanted["objects"], "queries", "threshold"):
            got = self.program.detect([PICTURES / o["file"] for o in group], queries, threshold)
            for mine, wanted in zip(got, group, strict=True):
                _, _, fault = compare.objects(mine, wanted["objects"])
                self.assertIsNone(fault, wanted["file"])


# by what is stored of a model
TESTS = [("texts", "test_tokens"), ("pictures", "test_vectors"), ("captions", "test_captions"),
         ("captions", "test_captions_in_bf16"), ("objects", "test_objects")]


def suite(names):
    out = unittest.TestSuite()
    for name in names:
        stored = json.loads((GOLDEN / "expected" / f"{name}.json").read_text("utf-8"))
        out.addTests(Model(test, name) for what, test in TESTS if what in stored)
    return out


def main():
    global PROGRAM
    if len(sys.argv) < 2:
        print(__doc__.strip())
        return 2
    PROGRAM = sys.argv[1]
    names = sys.argv[2:] or sorted(p.stem for p in (GOLDEN / "expected").glob("*.json"))
    if not os.environ.get("ITEM_ENGINE_PATH"):
        print("skipped: the engine is not built")
        return 77
    result = unittest.TextTestRunner(verbosity=2).run(suite(names))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

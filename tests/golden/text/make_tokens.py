#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the stored cases of tokenizers in published folders, from the reference (transformers):

published/     folders as they are published, of small vocabularies: the first merges of CLIP's, and
               pieces made of the cases' own words
tokens.tsv     folder, limit, ids, text; bytes below space, DEL and the backslash are \\xHH
decoded.tsv    folder, ids, text

    python3 tests/golden/text/make_tokens.py       needs transformers and open_clip_torch
"""
import random
import shutil
import sys
from pathlib import Path

import tokenizers
import transformers

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "parity"))
import folders  # noqa: E402
from make_wordpiece import WORDS, escaped, vocabulary, write  # noqa: E402
from reference import strings  # noqa: E402
from token_texts import texts  # noqa: E402

MERGES, PIECES = 1000, 2000
COUNT, MORE = 250, 60    # strings of the folders that are compared at length, and of the others
LENGTH = 300             # bytes of a string; long ones are made by tests


def cases(folder):
    reference = folders.reference(folder)
    full = folder.name in folders.FULL
    given = [t for t in texts(3 * COUNT, reference) if len(t.encode()) <= LENGTH and "\t" not in t]
    if not full:
        given = random.Random(folder.name).sample(given, MORE)
    for i, text in enumerate(given[:COUNT]):
        limit = (77, 77, 16, 8)[i % 4]
        ids = reference(text, truncation=True, max_length=limit)["input_ids"]
        yield "\t".join([folder.name, str(limit), " ".join(map(str, ids)), escaped(text)])


def decoded(folder):
    reference, rng = folders.reference(folder), random.Random(4)
    common = ["'", ".", ",", "!", "?", "s", "t", "re", "m", "n", "##s", "##n", "a", "dog"]
    marks = [i for i in map(reference.get_vocab().get, common) if i is not None]
    for _ in range(COUNT):
        ids = [rng.choice(marks) if rng.random() < 0.6 else rng.randrange(len(reference) + 3)
               for _ in range(rng.randint(0, 12))]
        text = reference.decode(ids, skip_special_tokens=True)
        yield "\t".join([folder.name, " ".join(map(str, ids)), escaped(text)])


def main():
    print(f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    shutil.rmtree(HERE / "published", ignore_errors=True)
    pieces = vocabulary(strings(COUNT, WORDS))
    letters = [p for p in pieces if len(p.removeprefix("##")) == 1 and p.isascii()]
    marks = ["'", ".", ",", "!", "?"]
    pieces = list(dict.fromkeys(pieces[:5] + letters + marks + WORDS + pieces))[:PIECES]
    made = folders.make(HERE / "published", MERGES, pieces)
    write("tokens.tsv", [line for folder in made for line in cases(folder)])
    write("decoded.tsv", [line for folder in made if folder.name.startswith("bert")
                          for line in decoded(folder)])


if __name__ == "__main__":
    main()

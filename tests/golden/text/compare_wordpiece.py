#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares libitem's WordPiece with the reference: ids of 5,000 strings of many scripts, and
every code point between two letters, both its ids and its normalised words.

    python3 tests/golden/text/compare_wordpiece.py BUILD/tests/unit/text/text-driver VOCAB
"""
import argparse
import subprocess
import sys

import tokenizers
from reference import normalised_words, strings, tokenizer


def driver(program, texts, *mode):
    data = b"".join(t.encode() + b"\0" for t in texts)
    return subprocess.run([program, *mode], input=data, stdout=subprocess.PIPE,
                          check=True).stdout.decode().split("\n")[:-1]


def report(what, texts, ours, theirs):
    wrong = [i for i in range(len(texts)) if ours[i] != theirs[i]]
    print(f"{what}: {len(texts) - len(wrong)} of {len(texts)} agree")
    for i in wrong[:10]:
        print(f"  {texts[i]!r}\n    reference {theirs[i]}\n    libitem   {ours[i]}")
    return len(wrong) + abs(len(ours) - len(texts))


def ids_of(reference, texts):
    return [" ".join(map(str, e.ids)) for e in reference.encode_batch(texts)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("vocab")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--transformers", metavar="FOLDER",
                        help="compare the reference with AutoTokenizer of this folder too")
    args = parser.parse_args()
    print(f"reference: tokenizers {tokenizers.__version__}")

    reference = tokenizer(args.vocab)
    pieces = [p.strip() for p in open(args.vocab, encoding="utf-8")]
    words = [p for p in pieces if len(p) > 2 and p.isalpha()]
    texts = strings(args.count, words)
    wrong = report("strings", texts, driver(args.driver, texts, "ids", args.vocab, "100000"),
                   ids_of(reference, texts))
    for limit in (2, 3, 7, 16):
        reference.enable_truncation(limit)
        wrong += report(f"strings, at most {limit} ids", texts,
                        driver(args.driver, texts, "ids", args.vocab, str(limit)),
                        ids_of(reference, texts))
    reference.no_truncation()

    points = ["a" + chr(c) + "b" for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
    wrong += report("code points, ids", points,
                    driver(args.driver, points, "ids", args.vocab, "100000"),
                    ids_of(reference, points))
    wrong += report("code points, words", points, driver(args.driver, points, "words"),
                    [" ".join(normalised_words(p)) for p in points])
    if args.transformers:
        from transformers import AutoTokenizer
        auto = AutoTokenizer.from_pretrained(args.transformers)
        wrong += report("AutoTokenizer, strings", texts,
                        [" ".join(map(str, auto(t)["input_ids"])) for t in texts],
                        ids_of(reference, texts))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the stored cases of WordPiece from the reference:

wordpiece_vocab.txt   a small vocabulary made of pieces of the cases themselves
wordpiece.tsv         ids, then the text; bytes below space, DEL and the backslash are \\xHH
code_points.tsv       for each 4,096 code points: the first, and FNV-1a (64 bit) over the
                      normalised words of "a" + code point + "b", each followed by a newline

    python3 tests/golden/text/make_wordpiece.py
"""
import random
from pathlib import Path

import tokenizers
from reference import SEED, SPECIALS, normalised_words, strings, tokenizer

HERE = Path(__file__).resolve().parent
WORDS = ("dog cat man woman child people bicycle umbrella mountain river street window table guitar "
         "running jumping sitting playing quickly beautiful colourful photograph portrait yellow "
         "international understanding unbelievable seventeen").split()
COUNT = 300
STEP = 4096


def vocabulary(texts):
    """Letters that most cases need, and pieces of their words; some are left out on purpose."""
    rng = random.Random(SEED)
    words = [w for t in texts for w in normalised_words(t)] + WORDS
    pieces = set()
    for word in words:
        for char in word:
            if rng.random() < 0.9:
                pieces |= {char, "##" + char}
        cut = rng.randint(1, min(len(word), 6))
        pieces.add(word[:cut])
        pieces.add("##" + word[-cut:])
    pieces |= set(WORDS)
    rest = sorted(p for p in pieces if len(p) < 20)
    rng.shuffle(rest)
    return SPECIALS + rest


def escaped(text):
    return "".join(f"\\x{ord(c):02x}" if ord(c) < 32 or c in "\\\x7f" else c for c in text)


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def point_digest(first):
    out = []
    for code in range(max(first, 1), first + STEP):
        if not 0xD800 <= code < 0xE000:
            out.append(" ".join(normalised_words("a" + chr(code) + "b")) + "\n")
    return fnv1a("".join(out).encode())


def write(name, lines):
    text = "".join(line + "\n" for line in lines)
    (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(lines)} lines")


def main():
    print(f"tokenizers {tokenizers.__version__}")
    texts = strings(COUNT, WORDS)
    write("wordpiece_vocab.txt", vocabulary(texts))
    reference = tokenizer(HERE / "wordpiece_vocab.txt")
    write("wordpiece.tsv", [" ".join(map(str, reference.encode(t).ids)) + "\t" + escaped(t)
                            for t in texts])
    write("code_points.tsv", [f"{first:x}\t{point_digest(first):016x}"
                              for first in range(0, 0x110000, STEP)])


if __name__ == "__main__":
    main()

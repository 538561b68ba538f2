#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes phrases_hand.conll from phrases_hand.txt: word and B/I/O, cut by libitem's own tokens.

    python3 tests/golden/text/make_phrases_hand.py BUILD/tests/unit/text/text-driver
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent.parent / "recipes" / "chunker"))
from corpus import bracketed, byte_spans, driver_lines  # noqa: E402


def place(start, end, spans):
    for a, b in spans:
        if a <= start and end <= b:
            return "B" if start == a else "I"
        assert end <= a or start >= b, "a token is cut by a bracket"
    return "O"


def main():
    items = list(bracketed(HERE / "phrases_hand.txt"))
    tokens = driver_lines(sys.argv[1], ("tokens", "-"), [text for _, text, _ in items])
    phrases = 0
    with open(HERE / "phrases_hand.conll", "w", encoding="utf-8") as out:
        for (style, text, spans), cut in zip(items, tokens):
            data, wanted = text.encode(), byte_spans(text, spans)
            out.write(f"# style = {style}\n# text = {text}\n")
            for start, end in cut:
                mark = place(start, end, wanted)
                phrases += mark == "B"
                out.write(f"{data[start:end].decode()}\t{mark}\n")
            out.write("\n")
    print(f"{len(items)} captions, {phrases} phrases, {sum(map(len, tokens))} words")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes unicode_tables.c: what the reference tokenizer of BERT does with each code point.

The reference is the Python package `tokenizers`: its BertNormalizer (clean text, Chinese
characters, accents stripped, lower case), its NFD and its BertPreTokenizer. Every fact is
asked of the reference itself, code point by code point; no other Unicode table takes part,
because their versions differ.

    python3 lib/text/make_tables.py            # writes lib/text/unicode_tables.c
    python3 lib/text/make_tables.py --check    # compares only, exit 1 when it differs
"""
import argparse
import functools
import sys
from pathlib import Path

import tokenizers
from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

OUT = Path(__file__).resolve().parent / "unicode_tables.c"
LAST = 0x110000
BLOCK = 128  # code points of one block; two classes to a byte

# Order as in unicode.h; classes from MARK on are combining classes in rising order.
KEEP, DROP, DROP_STARTER, SPACE, CJK, PUNCT, MAP, HANGUL, MARK = range(9)

full = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None,
                      lowercase=True)
clean = BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False,
                       lowercase=False)
nfd, pre = NFD(), BertPreTokenizer()


def code_points():
    return (c for c in range(LAST) if not 0xD800 <= c < 0xE000)


def pieces(char):
    return [piece for piece, _ in pre.pre_tokenize_str("a" + char + "b")]


def moves(char):
    """Does canonical ordering move this character (is its combining class not 0)?"""
    low, high = "\u0334", "\u0345"  # classes 1 and 240
    return nfd.normalize_str("a" + char + low) == "a" + low + nfd.normalize_str(char) or \
        nfd.normalize_str("a" + high + char) == "a" + nfd.normalize_str(char) + high


def classify(code):
    """Class of one code point and, for MAP, what it becomes."""
    char = chr(code)
    out = full.normalize_str("a" + char + "b")[1:-1]
    if out == char:
        if moves(char):
            return MARK, ""
        if len(pieces(char)) == 3:
            return PUNCT, ""
        assert pieces(char) != ["a", "b"] or char == " "
        return (SPACE if char == " " else KEEP), ""
    if out == "":
        cleaned = clean.normalize_str("a" + char + "b") == "ab"
        return (DROP if cleaned or moves(char) else DROP_STARTER), ""
    if out == " ":
        return SPACE, ""
    if out == f" {char} ":
        return CJK, ""
    if 0xAC00 <= code < 0xAC00 + 11172:
        return HANGUL, hangul(code, out)
    assert not moves(out[0]), f"U+{code:04X} begins with a combining mark"
    return MAP, out


def hangul(code, out):
    index = code - 0xAC00
    parts = [0x1100 + index // 588, 0x1161 + index % 588 // 28, 0x11A7 + index % 28]
    expected = "".join(map(chr, parts if index % 28 else parts[:2]))
    assert out == expected, f"U+{code:04X} is not the algorithm's"
    return ""


def order_marks(classes):
    """Replaces MARK by MARK + rank of its combining class among those that occur."""
    marks = [c for c in code_points() if classes[c] == MARK]

    def compare(x, y):
        x, y = chr(x), chr(y)
        if nfd.normalize_str("a" + x + y) != "a" + x + y:
            return 1
        return -1 if nfd.normalize_str("a" + y + x) != "a" + y + x else 0

    marks.sort(key=functools.cmp_to_key(compare))
    rank = 0
    for previous, code in zip([marks[0]] + marks, marks):
        rank += compare(previous, code) != 0
        assert MARK + rank < 16, "too many combining classes for half a byte"
        classes[code] = MARK + rank
    return rank + 1


def two_level(classes):
    """(block number of each 128 code points, 64 bytes of each different block)."""
    index, blocks = [], {}
    for first in range(0, LAST, BLOCK):
        part = classes[first:first + BLOCK]
        packed = bytes(part[i] | part[i + 1] << 4 for i in range(0, BLOCK, 2))
        index.append(blocks.setdefault(packed, len(blocks)))
    assert len(blocks) < 256
    return bytes(index), b"".join(blocks)


def array(kind, name, values, count=None):
    """`count`: of its elements, where a value is several."""
    values, lines, line = list(values), [], "   "
    for value in values:
        if len(line) + len(value) + 2 > 100:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return (f"const {kind} {name}[{count or len(values)}] = {{\n" + "\n".join(lines + [line]) +
            "\n};\n")


def words(data):
    """Bytes as little-endian 32-bit numbers: a third of the source text."""
    return [f"{int.from_bytes(data[i:i + 4], 'little'):#x}" for i in range(0, len(data), 4)]


def source():
    classes, maps = [KEEP] * LAST, {}
    for code in code_points():
        classes[code], out = classify(code)
        if out:
            maps[code] = [ord(c) for c in out]
    ranks = order_marks(classes)
    index, blocks = two_level(classes)
    pool, keys = [], []
    for code, out in maps.items():  # key: code point (21 bits), length; place: running sum
        keys.append(code | len(out) << 21)
        pool += out
    starts = [0]
    for key in keys[:-1]:
        starts.append(starts[-1] + (key >> 21))
    assert len(pool) < 65536
    counts = {k: classes.count(k) for k in range(16)}
    print(f"{len(maps)} mappings, {ranks} combining classes, {len(blocks) // 64} blocks, "
          f"{len(index) + len(blocks) + 6 * len(keys) + 4 * len(pool)} bytes; {counts}")
    return (
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/*\n"
        " * What BERT's reference tokenizer does with each code point. Generated by\n"
        f" * lib/text/make_tables.py from the Python package tokenizers {tokenizers.__version__};\n"
        " * change the script, not this file.\n"
        " */\n"
        "/* clang-format off */\n"
        '#include "text/unicode.h"\n\n'
        + array("uint32_t", "itemi_unicode_index", words(index)) + "\n"
        + array("uint32_t", "itemi_unicode_blocks", words(blocks)) + "\n"
        + array("uint32_t", "itemi_unicode_map_keys", [f"{k:#x}" for k in keys]) + "\n"
        + array("uint16_t", "itemi_unicode_map_starts", [str(s) for s in starts]) + "\n"
        + array("uint32_t", "itemi_unicode_map_pool", [f"{c:#x}" for c in pool]) + "\n"
        + f"const uint32_t itemi_unicode_map_count = {len(keys)};\n")


def run(description, out, source):
    """Writes what source() gives, or compares it with the file."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="compare with the file, write nothing")
    args = parser.parse_args()
    text = source()
    if args.check:
        same = out.read_text() == text
        print(f"{out.name} is up to date" if same else f"{out.name} differs")
        sys.exit(not same)
    out.write_text(text)


if __name__ == "__main__":
    run("tables of code points for WordPiece", OUT, source)

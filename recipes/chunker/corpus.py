# SPDX-License-Identifier: Apache-2.0
"""Sentences for the tagger: tagged captions, bracketed texts, and changes made to them.

A token is (text, labels): `labels` is the set of labels it may have. Tagged captions allow one;
bracketed texts tell the place in the phrase alone, so every part of speech is allowed there.
"""
import gzip
import re
import subprocess
from pathlib import Path

TAGS = {"NNP": "NN", "NNPS": "NNS", "JJR": "JJ", "JJS": "JJ", "TO": "IN", "RBR": "RB", "RBS": "RB",
        "VBZ": "VB", "VBP": "VB", "VBD": "VB", "MD": "VB", "WDT": "WH", "WP": "WH", "WRB": "WH",
        "WP$": "WH", "PDT": "DT", "PRP$": "DT", "RP": "IN", "EX": "RB"}
PLAIN = {"NN", "NNS", "JJ", "CD", "DT", "PRP", "IN", "CC", "RB", "VBG", "VBN", "VB", "POS", "."}
HERE_STYLES = Path(__file__).resolve().parent / "styles.txt"
END = "\x03"  # a line after each sentence


def coarse(tag):
    tag = TAGS.get(tag, tag)
    if tag in PLAIN or tag in TAGS.values():
        return tag
    return "." if not tag.isalpha() or tag == "HYPH" else "X"


def tagged(path, split):
    """Sentences of one split as lists of (word, label)."""
    out, words, wanted = [], [], False
    for line in gzip.open(path, "rt", encoding="utf-8"):
        fields = line.rstrip("\n").split("\t")
        if len(fields) == 4:
            word, tag, place, _ = fields
            words.append((word, f"{place}-{coarse(tag)}"))
        elif line.startswith("# "):
            wanted = line.split()[1] == split
        elif words:
            out += [words] if wanted else []
            words = []
    return out + ([words] if words and wanted else [])


def unbracket(line):
    """Text without brackets and the spans of its phrases, in characters."""
    text, spans, start = "", [], None
    for char in line:
        if char == "[":
            start = len(text)
        elif char == "]":
            spans.append((start, len(text)))
        else:
            text += char
    return text, spans


def bracketed(path):
    """(style, text, spans) of each line of a bracketed file; "# name" begins a style."""
    style = ""
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("# "):
            style = line[2:]
        elif line:
            yield (style, *unbracket(line))


def byte_spans(text, spans):
    return [(len(text[:a].encode()), len(text[:b].encode())) for a, b in spans]


def driver_lines(driver, mode, texts):
    """What the driver prints for each text: a list of lists of (start, end)."""
    data = b"".join(t.encode() + b"\0" for t in texts)
    out = subprocess.run([driver, *mode], input=data, stdout=subprocess.PIPE, check=True).stdout
    blocks, block = [], []
    for line in out.decode().split("\n")[:-1]:
        if line:
            block.append(tuple(map(int, line.split()[:2])))
        else:
            blocks.append(block)
            block = []
    return blocks


def detokenised(words):
    """A caption as people write it, and the byte span of each word."""
    text, spans = "", []
    for word in words:
        glue = text == "" or word in ".,;:!?'" or word.startswith("'") or word == "n't" or \
            word == "-" or text.endswith("-")
        text += ("" if glue else " ") + word
        spans.append((len(text.encode()) - len(word.encode()), len(text.encode())))
    return text, spans


def chunks(labels):
    """(first, last + 1) of each phrase in a list of labels."""
    out, start = [], None
    for i, label in enumerate(list(labels) + ["O-."]):
        if start is not None and label[0] != "I":
            out.append((start, i))
            start = None
        if label[0] == "B":
            start = i
    return out


def is_word(text):
    return re.fullmatch(r"[A-Za-z][A-Za-z']*", text) is not None

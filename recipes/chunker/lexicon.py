# SPDX-License-Identifier: Apache-2.0
"""The tagger's lexicon: what a word can be, from WordNet 3.1 and words.txt.

Classes are one byte: noun 1, verb 2, adjective 4, adverb 8, added up; closed classes from 16
on; 128 more when the training data has the word often enough to know it by itself.
"""
import collections
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOUN, VERB, ADJECTIVE, ADVERB = 1, 2, 4, 8
OPEN = {"N": NOUN, "V": VERB, "A": ADJECTIVE, "R": ADVERB}
FIRST_CLOSED, KNOWN = 16, 128


def fnv32(text):
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def wordnet(folder):
    """({word: class}, frequent words): single words of WordNet that its tagged texts use or that
    are parts of longer entries."""
    counts = collections.defaultdict(collections.Counter)
    parts = set()
    for line in open(Path(folder) / "index.sense", encoding="ascii"):
        key, _, _, count = line.split()
        lemma, rest = key.split("%")
        kind = (NOUN, VERB, ADJECTIVE, ADVERB, ADJECTIVE)[int(rest[0]) - 1]
        counts[lemma][kind] += int(count)
        if "_" in lemma or "-" in lemma:
            parts |= set(re.split("[_-]", lemma))
    out, common = {}, []
    for lemma, kinds in sorted(counts.items()):
        if re.fullmatch("[a-z]{2,20}", lemma) and (sum(kinds.values()) or lemma in parts):
            most = max(kinds.values())
            out[lemma] = sum(k for k, c in kinds.items() if c * 20 >= most)
            if sum(kinds.values()) >= 3 and len(lemma) > 2:
                common.append(lemma)
    return out, common


def hand_words():
    """words.txt: {word: class}."""
    out, closed = {}, FIRST_CLOSED
    for line in open(HERE / "words.txt", encoding="utf-8"):
        if line.startswith("#"):
            continue
        name, words = line.split(": ")
        if name.startswith("open "):
            value = OPEN[name[5:]]
        else:
            value, closed = closed, closed + 1
        for word in words.split():
            out.setdefault(word, value)
    assert closed <= KNOWN
    return out


def build(folder, known):
    """({word: class} of all words, frequent words); `known` are those of the training data."""
    out, common = wordnet(folder)
    out.update(hand_words())
    for word in known:
        out[word] = out.get(word, 0) | KNOWN
    return out, common

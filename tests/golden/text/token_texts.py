# SPDX-License-Identifier: Apache-2.0
"""The strings that tokenizers are compared on: all scripts, marks, emoji, white space, long ones,
special tokens within."""
import random

from reference import HAND, SCRIPTS, random_string

SPACES = [*map(chr, (9, 10, 11, 12, 13, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x180E,
                     *range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF))]
EMOJI = ["👍🏽", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "1\ufe0f\u20e3", "❤️\u200d🔥", "🏴\U000e0067\U000e0062\U000e007f",
         "☺\ufe0e", "👩🏿\u200d🚀", "🧑\u200d🤝\u200d🧑"]
CLIP_HAND = [
    "hello!", "hello !", "a photo of a cat.", "it's IT'S i'll I'VE we're he'd 'tis ''s 'S'", "'ſ 'K 'ſ",
    "a <|endoftext|> b", "a<|EndOfText|>!!b", "<|startoftext|>!!", "x  <|startoftext|>  y",
    "<|STARTOFTEXT|><|startoftext|>", "<|endoftext|", "<<|endoftext|>>", "<|endoftext|>s 's",
    "<|Startoftext|>\u0301", "e<|endoftext|>\u0301", "½²３٣Ⅷ 12345", "a\u0301\u0323 a\u0323\u0301",
    "\u0344\u0345 \u1e9b\u0323", "\u1100\u1161\u11a8 \uac00\u11a8 \uac01\u11a8", "\u09c7\u09be \u0b47\u0b57",
    "ǅ ǈ İ ẞ Ω K Å", "a\u0301" * 50, "a" + "\u0301\u0323" * 200, "!?" * 100, "</w> a</w>b", "Ġ Â Ã",
    "&amp; &lt;b&gt; caf&eacute;", "don\u2019t", "\ufb01ne", "snake_case CamelCase", "\u2126\u212a\u212b",
]


def long_texts(rng, words):
    """10,000 characters of one kind each."""
    many = [rng.choice(words) for _ in range(3000)]
    return ["a" * 10000, " " * 10000, "!" * 10000, "é" * 10000, "日" * 10000, "\u0301" * 10000,
            "a" + "\u0323\u0301" * 5000, "👍" * 10000, "1" * 10000, "ab" * 5000, "\u00a0x" * 5000,
            " ".join(many)[:10000], "".join(many)[:10000],
            "".join(chr(rng.randint(0x4E00, 0x9FFF)) for _ in range(10000)),
            "".join(chr(rng.randint(0x61, 0x7A)) for _ in range(10000)),
            "".join(rng.choice("ab'<|>!\u0301 ") for _ in range(10000))]


def marked(rng):
    """Letters with combining marks, in any order."""
    out = ""
    for _ in range(rng.randint(1, 8)):
        out += chr(rng.randint(*rng.choice(SCRIPTS[rng.choice(["latin", "greek", "devanagari", "hangul", "bengali"])])))
        for _ in range(rng.randint(0, 5)):
            out += chr(rng.randint(*rng.choice(SCRIPTS["marks"] + SCRIPTS["marks that stay"] +
                                               [(0x591, 0x5C7), (0x64B, 0x65F), (0x93C, 0x954)])))
    return out


def spaced(rng, words):
    return "".join(rng.choice(words) + "".join(rng.choice(SPACES) for _ in range(rng.randint(0, 3)))
                   for _ in range(rng.randint(1, 8)))


def special(rng, words, names):
    """Names of special tokens, whole, cut, in other case, with anything before and behind."""
    out = ""
    for _ in range(rng.randint(1, 4)):
        name = rng.choice(names)
        name = rng.choice([name, name, name, name.upper(), name.title(), name[:-1], name[1:], name + name])
        out += rng.choice(["", " ", "!", rng.choice(words), "\u0301", "'"]) + name
        out += rng.choice(["", " ", "!", "!!", rng.choice(words), "\u0301", "s", "'s", "\u3000"])
    return out


def one(rng, words, names):
    kind = rng.random()
    if kind < 0.15:
        return marked(rng)
    if kind < 0.25:
        return spaced(rng, words)
    if kind < 0.35:
        return "".join(rng.choice(EMOJI + [" ", "a"]) for _ in range(rng.randint(1, 6)))
    if kind < 0.55:
        return special(rng, words, names)
    return random_string(rng, words)


def texts(count, reference, seed=6):
    """`reference` tells the names of its special tokens, and words."""
    rng = random.Random(seed)
    names = sorted(reference.get_added_vocab())
    words = [w for w in sorted(t.removesuffix("</w>") for t in reference.get_vocab())
             if w.isascii() and w.isalpha() and len(w) > 2]
    out = HAND + CLIP_HAND + SPACES + EMOJI + names + long_texts(rng, words)
    return (out + [one(rng, words, names) for _ in range(count)])[:count]

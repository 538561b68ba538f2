# SPDX-License-Identifier: Apache-2.0
"""The reference of WordPiece and the strings that libitem is compared on."""
import random

from tokenizers import BertWordPieceTokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

SEED = 20
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

normalizer = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None,
                            lowercase=True)
pre_tokenizer = BertPreTokenizer()

# First and last code point of a script's letters and what goes with them.
SCRIPTS = {
    "ascii": [(0x20, 0x7E)], "latin": [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)], "cyrillic": [(0x400, 0x52F)],
    "armenian": [(0x531, 0x58A)], "hebrew": [(0x591, 0x5F4)], "arabic": [(0x600, 0x6FF)],
    "syriac": [(0x700, 0x74F)], "devanagari": [(0x900, 0x97F)], "bengali": [(0x980, 0x9FE)],
    "tamil": [(0xB82, 0xBFA)], "telugu": [(0xC00, 0xC7F)], "malayalam": [(0xD00, 0xD7F)],
    "sinhala": [(0xD81, 0xDF4)], "thai": [(0xE01, 0xE5B)], "lao": [(0xE81, 0xEDF)],
    "tibetan": [(0xF00, 0xFDA)], "myanmar": [(0x1000, 0x109F)], "georgian": [(0x10A0, 0x10FF)],
    "ethiopic": [(0x1200, 0x139F)], "cherokee": [(0x13A0, 0x13FD), (0xAB70, 0xABBF)],
    "khmer": [(0x1780, 0x17F9)], "mongolian": [(0x1800, 0x18AA)], "kana": [(0x3041, 0x30FF)],
    "hangul": [(0x1100, 0x11FF), (0xAC00, 0xD7A3)], "han": [(0x4E00, 0x9FFF), (0xF900, 0xFAD9)],
    "han-b": [(0x20000, 0x2A6DF), (0x2F800, 0x2FA1D)], "symbols": [(0x2000, 0x2BFF)],
    "marks": [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0)],
    "forms": [(0xFB00, 0xFDFF), (0xFE00, 0xFFEF)], "emoji": [(0x1F300, 0x1FAFF)],
    "music": [(0x1D100, 0x1D1E8)], "maths": [(0x1D400, 0x1D7FF)], "deseret": [(0x10400, 0x1044F)],
    "marks that stay": [(0x8D4, 0x8E1), (0x302E, 0x302F), (0x1D165, 0x1D172), (0x1E000, 0x1E02A),
                        (0x1E944, 0x1E94A), (0x334, 0x345), (0x34F, 0x34F), (0x200D, 0x200D)],
    "controls": [(0x1, 0x20), (0x7F, 0xA0), (0x200B, 0x200F), (0x2028, 0x202F), (0xFFF9, 0xFFFD)],
    "any": [(0x1, 0xD7FF), (0xE000, 0x10FFFF)],
}

HAND = [
    "", " ", "a", "Two dogs are playing in the grass.", "don't STOP", "naïve café", "ÅNGSTRÖM",
    "İstanbul ıssız", "ΣΑΣ ΟΔΥΣΣΕΥΣ", "ﬁne ﬂuﬀ", "日本語 テスト", "漢字kanji混ざる", "한국어 문장", "ẞtraße",
    "hello [SEP] world", "a[MASK]b", "[sep] [CLS][PAD][UNK]", "[[SEP]]", "[MASK", "[ MASK ]",
    "zero\u200bwidth", "no\u00a0break", "soft\u00adhyphen", "tab\there\nline",
    "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "日" * 120, "!" * 30, "don\u2019t \u201cquote\u201d",
    "👍🏽 family 👨\u200d👩\u200d👧", "🇩🇪 flag", "#sunset @user https://x.example/?q=1&r=2", "3.14 1,000 50%",
    "\u1112\u1161\u11ab", "\u0958\u0929", "a\u0327\u0301b \u0344", "\U0001d160\U0001d165\u034f\U0001d16e",
    "x\U0001d16d\u200d\U0001d165y", "x\U0001d16d\u034f\U0001d165y", "\u302f\u302e\u1bf2\u302e", "\ufeffbom \ufffd",
    "≠ ≮ ≯", "\u037e \u1fef \u2000", "豈 \U0002f800", "supercalifragilisticexpialidocious", "unaffable",
]


def tokenizer(vocab):
    return BertWordPieceTokenizer(str(vocab), lowercase=True)


def random_string(rng, words):
    """One to twelve words, each of one script or of English, with odd joints."""
    out = []
    for _ in range(rng.randint(1, 12)):
        if rng.random() < 0.3:
            word = rng.choice(words)
            word = rng.choice([word, word.upper(), word.title(), word + "'s", word + word])
        else:
            ranges = SCRIPTS[rng.choice(list(SCRIPTS))]
            word = ""
            for _ in range(rng.randint(1, 9)):
                word += chr(rng.randint(*rng.choice(ranges)))
        out.append(word)
        out.append(rng.choice([" ", " ", " ", " ", "", "-", ", ", "\u3000", rng.choice(SPECIALS)]))
    return "".join(out)


def strings(count, words, seed=SEED):
    rng = random.Random(seed)
    return (HAND + [random_string(rng, words) for _ in range(count)])[:count]


def normalised_words(text):
    """What the reference makes of a text before pieces are looked up."""
    return [w for w, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))]

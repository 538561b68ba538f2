"""Caption words, the caption vocabulary, and BLEU."""
import re
from collections import Counter

WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")
SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]


def words(caption):
    """Lower-case words without punctuation; a lone s or t comes from "man 's"."""
    return [w for w in WORD.findall(caption.lower()) if w not in ("s", "t")]


def vocabulary(captions, least):
    count = Counter(w for c in captions for w in words(c))
    return SPECIAL + sorted(w for w, n in count.items() if n >= least)


def bleu(answers, references):
    """sacrebleu's corpus BLEU on finished tokens: no smoothing, closest length.

    answers: lists of words; references: for each answer, a list of captions.
    Returns BLEU-1 and BLEU-4 as fractions.
    """
    from sacrebleu.metrics import BLEU
    metric = BLEU(tokenize="none", smooth_method="none", force=True)
    columns = list(zip(*[[" ".join(words(c)) for c in r] for r in references]))
    score = metric.corpus_score([" ".join(a) for a in answers], [list(c) for c in columns])
    return score.precisions[0] / 100 * score.bp, score.score / 100

# SPDX-License-Identifier: Apache-2.0
"""Makes the tagged captions look like captions of other styles."""
from corpus import is_word

HIDDEN, FOREIGN = "\x01", "\x02"  # for the driver: not seen in training, in no lexicon


class Maker:
    """One epoch after another of changed sentences."""

    def __init__(self, captions, words, rng):
        self.rng = rng
        self.captions = [[(w, frozenset([label])) for w, label in s] for s in captions]

    def epoch(self):
        return [self.hide(s) for s in self.captions]

    def hide(self, sentence):
        """Some open words are as if never seen, so that endings and neighbours learn to tell."""
        rate = self.rng.choice([0.0, 0.1, 0.4])
        out = []
        for word, labels in sentence:
            tag = next(iter(labels))[2:]
            if tag in OPEN_TAGS and is_word(word) and self.rng.random() < rate:
                word = (FOREIGN if self.rng.random() < 0.3 else HIDDEN) + word
            out.append((word, labels))
        return out


OPEN_TAGS = {"NN", "NNS", "JJ", "VBG", "VBN", "VB", "RB"}

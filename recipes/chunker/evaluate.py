#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Precision, recall and F1 of base noun phrases, through the C code.

    python3 recipes/chunker/evaluate.py BUILD/tests/unit/text/text-driver [--model FILE]

"tokens" gives the C code the words of the tagged captions, "text" whole captions as people
write them, cut by the C code itself. Bracketed files are compared by bytes, by style.
"""
import argparse
import collections
import subprocess
from pathlib import Path

import augment
import lexicon
from corpus import END, bracketed, byte_spans, chunks, detokenised, driver_lines, tagged

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent


class Score:
    def __init__(self):
        self.right = self.found = self.wanted = 0

    def add(self, ours, theirs):
        ours, theirs = set(ours), set(theirs)
        self.right += len(ours & theirs)
        self.found += len(ours)
        self.wanted += len(theirs)

    def __str__(self):
        p, r = self.right / max(self.found, 1), self.right / max(self.wanted, 1)
        f = 2 * p * r / max(p + r, 1e-9)
        return f"P {p:.4f}  R {r:.4f}  F1 {f:.4f}  ({self.wanted} phrases)"


def tag_tokens(driver, model, sentences):
    lines = "".join("".join(w + "\n" for w, _ in s) + END + "\n" for s in sentences)
    out = subprocess.run([driver, "tags", model], input=lines.encode(), stdout=subprocess.PIPE,
                         check=True).stdout.decode()
    return [block.split("\n") for block in out.split("\n\n")[:-1]]


def score_mended(driver, model, path, split, wordnet):
    """The split with the silver tagger's commonest mistake mended as in training."""
    known = collections.Counter(w.lower() for s in tagged(path, "train") for w, _ in s)
    words, _ = lexicon.build(wordnet, [w for w, n in known.items() if n >= 3])
    sentences = [s for s in tagged(path, split) if len(s) <= 128]
    score = Score()
    for sentence, ours in zip(sentences, tag_tokens(driver, model, sentences)):
        mended = [min(labels) if len(labels) == 1 else label for (_, labels), (_, label)
                  in zip(augment.soften(sentence, words), sentence)]
        score.add(chunks(ours), chunks(mended))
    print(f"{split} mended  {score}")


def score_tagged(driver, model, path, split):
    sentences = [s for s in tagged(path, split) if len(s) <= 128]
    by_tokens, by_text, tags = Score(), Score(), collections.Counter()
    for sentence, ours in zip(sentences, tag_tokens(driver, model, sentences)):
        labels = [label for _, label in sentence]
        by_tokens.add(chunks(ours), chunks(labels))
        for our, label in zip(ours, labels):
            tags[our[2:] == label[2:]] += 1
    print(f"{split} tokens  {by_tokens}  tags {tags[True] / sum(tags.values()):.4f}")

    texts = [detokenised([w for w, _ in s]) for s in sentences]
    for sentence, (_, spans), ours in zip(
            sentences, texts, driver_lines(driver, ("chunks", model), [t for t, _ in texts])):
        labels = [label for _, label in sentence]
        by_text.add(ours, [(spans[a][0], spans[b - 1][1]) for a, b in chunks(labels)])
    print(f"{split} text    {by_text}")


def score_bracketed(driver, model, path, verbose):
    items = list(bracketed(path))
    scores = collections.defaultdict(Score)
    found = driver_lines(driver, ("chunks", model), [text for _, text, _ in items])
    for (style, text, spans), ours in zip(items, found):
        wanted = byte_spans(text, spans)
        scores[style].add(ours, wanted)
        scores["all"].add(ours, wanted)
        if verbose and set(ours) != set(wanted):
            data = text.encode()
            missed = [data[a:b].decode() for a, b in wanted if (a, b) not in ours]
            wrong = [data[a:b].decode() for a, b in ours if (a, b) not in wanted]
            print(f"  {text}\n    missed {missed}\n    wrong  {wrong}")
    for style, score in scores.items():
        print(f"{Path(path).name} {style:8} {score}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--model", default="-", help="weights; the compiled ones by default")
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--split", default="test")
    parser.add_argument("--bracketed", nargs="*",
                        default=[REPO / "tests" / "golden" / "text" / "phrases_hand.txt"])
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--wordnet", help="folder of index.sense: score the split mended, too")
    args = parser.parse_args()
    captions = args.data / "flickr8k" / "phrases.conll.gz"
    score_tagged(args.driver, args.model, captions, args.split)
    if args.wordnet:
        score_mended(args.driver, args.model, captions, args.split, args.wordnet)
    for path in args.bracketed:
        score_bracketed(args.driver, args.model, path, args.verbose)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Asks `item` about a model folder and judges its answers against the reference's.

Python's standard library alone. A judge returns the worst difference and a list of faults.
"""
import json
import math
import subprocess

NEAR = 1e-4       # of a component of a unit vector
COSINE = 0.99999
PIXELS = 0.5      # of a box's corner
SCORE = 1e-3
MARGIN = 1e-3     # of the reference's own choice, below which another one is left out


class Program:
    """The program under test, with what all its calls share."""

    def __init__(self, path, model, options=(), env=None, timeout=3600):
        self.start, self.env, self.timeout = [str(path)], env, timeout
        self.model, self.options = ["--model", str(model), "--json"], list(options)

    def lines(self, command, *args):
        call = [*self.start, command, *self.model, *map(str, args)]
        done = subprocess.run(call, capture_output=True, env=self.env, timeout=self.timeout)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(call[:12])} ...: exit code {done.returncode}: "
                               f"{done.stderr.decode(errors='replace').strip()} "
                               f"{done.stdout.decode(errors='replace')[:300]}")
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def tokens(self, texts):
        return [a["tokens"] for a in self.lines("tokenize", "--", *texts)]

    def embed(self, texts, files):
        given = [part for text in texts for part in ("--text", text)]
        return [a["embedding"] for a in self.lines("embed", *self.options, *given, "--", *files)]

    def caption(self, files, beams=1, prompt=None, max_tokens=None):
        given = ["--beams", beams]
        if max_tokens is not None:
            given += ["--max-tokens", max_tokens]
        if prompt is not None:
            given += ["--prompt", prompt]
        return self.lines("caption", *self.options, *given, "--", *files)

    def detect(self, files, queries, threshold):
        given = [part for query in queries for part in ("--query", query)]
        given += ["--threshold", threshold, "--", *files]
        return [a["objects"] for a in self.lines("detect", *self.options, *given)]


def vector(got, wanted, near=NEAR, least=COSINE):
    """(largest difference of a component, fault or None) of two unit vectors."""
    if len(got) != len(wanted):
        return math.inf, f"{len(got)} numbers, not {len(wanted)}"
    worst = max(abs(a - b) for a, b in zip(got, wanted))
    cosine = sum(a * b for a, b in zip(got, wanted))
    cosine /= math.hypot(*got) * math.hypot(*wanted)
    if not (worst <= near and cosine >= least):
        return worst, f"differs by {worst:.2g}, cosine {cosine:.6f}"
    return worst, None


def said(tokens, end):
    """Ids without the one that ends a sentence and what fills up behind it."""
    out = list(tokens)
    while out and out[-1] in (end, 0):
        out.pop()
    return out


def caption(got, wanted, beams, end):
    """("equal" | "left out" | "differs", what): left out where the reference itself was
    undecided at the step where they part; with beams, at any step up to there."""
    mine, theirs = said(got["tokens"], end), said(wanted["tokens"], end)
    if mine == theirs:
        same = " ".join(got["caption"].split()) == " ".join(wanted["caption"].split())
        return ("equal", "") if same else ("differs", f'{got["caption"]!r} for {theirs}')
    parted = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b),
                  min(len(mine), len(theirs)))
    margins = wanted["margins"] if beams > 1 else wanted["margins"][parted:parted + 1]
    if margins and min(margins) < MARGIN:
        return "left out", f"undecided by {min(margins):.1g}"
    return "differs", f"{mine} for {theirs}, margin {min(margins, default=math.inf):.2g}"


def objects(got, wanted):
    """(largest difference of a corner, of a score, fault or None), in the same order."""
    if [o["query"] for o in got] != [o["query"] for o in wanted]:
        return math.inf, math.inf, f"{len(got)} objects, not {len(wanted)}, or other queries"
    corner = max((abs(a - b) for g, w in zip(got, wanted) for a, b in zip(g["box"], w["box"])),
                 default=0.0)
    score = max((abs(g["score"] - w["score"]) for g, w in zip(got, wanted)), default=0.0)
    fault = None
    if not (corner <= PIXELS and score <= SCORE):
        fault = f"boxes differ by {corner:.2g} pixels, scores by {score:.2g}"
    return corner, score, fault

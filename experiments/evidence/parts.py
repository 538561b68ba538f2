# SPDX-License-Identifier: Apache-2.0
"""Folds of detect/ train that hold out generator, scene and photographs together, and figures in them.

Almost every source of train has one label, so a figure within a source says something of faces
alone. Here a third of the generators, a third of the scenes and two of four families of photographs
are held out at once; AUC is between what was held out. Topic still differs, so each AI picture is
compared with photographs of a like caption (`Test`), and what the caption alone reaches in
the same way stands beside it as the level of the leak.

The source of those AI pictures is known through its other generators, which may help too. So there
are heads that saw none of it (`source new`), and heads that saw no faces: all is new to them.
"""
import json
import random
from pathlib import Path

import numpy as np

import metrics

DECLARED = json.loads((Path(__file__).resolve().parent / "declared.json").read_text("utf-8"))
THIRDS, WIDTH, DRAWS = 3, 0.08, 200
NEW = "source new"


class Rows:
    """Columns of a manifest that the folds are made of."""

    def __init__(self, rows):
        self.ai = metrics.labels(rows)
        self.source, self.generator, prompt = (
            metrics.column(rows, name) for name in ("source", "generator", "prompt"))
        self.family = np.array([DECLARED["families"].get(s, s) for s in self.source], dtype=object)
        self.scene = np.array([scene(p) for p in prompt], dtype=object)
        self.shared = self.source == DECLARED["scenes_of"]
        self.third = np.full(len(rows), -1)
        for i, names in enumerate(DECLARED["generators"]):
            self.third[self.shared & np.isin(self.generator, names)] = i
        names = sorted(set(self.scene[self.shared]))
        random.Random(5).shuffle(names)
        place = {name: i % THIRDS for i, name in enumerate(names)}
        self.scenes = np.array([place.get(s, -1) if here else -1
                                for s, here in zip(self.scene, self.shared)])


def scene(prompt):
    """Prompts that ask for nearly the same are one scene."""
    prompt = (prompt or "").lower()
    for word in DECLARED["alike"]:
        if word in prompt:
            return DECLARED["same"].get(word, word)
    return prompt


# ---- folds -------------------------------------------------------------------------------------
def folds(r):
    """(kind, rows to train on, [(AI pictures, photographs)]); everything of the test is new."""
    for generators in range(THIRDS):
        for scenes in range(THIRDS):
            for held in DECLARED["held"]:
                touched = r.shared & ((r.third == generators) | (r.scenes == scenes))
                tested = np.flatnonzero((r.third == generators) & (r.scenes == scenes))
                pairs = [(tested, np.flatnonzero((r.family == f) & ~r.ai)) for f in held]
                if len(tested):
                    yield "apart", ~touched & ~np.isin(r.family, held), pairs
    for held in DECLARED["held"]:
        pairs = [(np.flatnonzero(r.shared), np.flatnonzero((r.family == f) & ~r.ai)) for f in held]
        yield NEW, ~r.shared & ~np.isin(r.family, held), pairs
    faces = r.family == "faces"
    real = np.flatnonzero(faces & ~r.ai)
    for generator, source in DECLARED["faces"]["generators"].items():
        made = np.flatnonzero((r.generator == generator) & (r.source == source))
        yield f"no faces: {generator}", ~faces, [(made, real)]
    own = np.flatnonzero((r.source == DECLARED["faces"]["photographs"]) & r.ai)
    for k in range(THIRDS):
        out_real, out_ai = real[k::THIRDS], own[k::THIRDS]
        rest = np.ones(len(r.ai), bool)
        rest[np.concatenate([out_real, out_ai])] = False
        yield "within faces", rest, [(out_ai, out_real)]


def weights(r, index):
    """Each label half, each family or AI source of a label the same, each generator of it the same."""
    ai, out = r.ai[index], np.zeros(len(index))
    for label in (False, True):
        group = (r.source if label else r.family)[index]
        for g in set(group[ai == label]):
            here = (group == g) & (ai == label)
            part = r.generator[index][here] if label else group[here]
            names, where, count = np.unique(part.astype(str), return_inverse=True, return_counts=True)
            out[here] = 1 / (len(names) * count[where])
        out[ai == label] /= 2 * out[ai == label].sum()
    return out


# ---- head --------------------------------------------------------------------------------------
def ridge(features, ai, weight, strength):
    """Least squares on -1 and +1; features scaled by these rows alone. Gives a function of features."""
    mean = weight @ features
    scale = np.sqrt(weight @ (features - mean) ** 2) + 1e-6
    z, target = (features - mean) / scale, np.where(ai, 1.0, -1.0)
    root = np.sqrt(weight)
    zw, tw = z * root[:, None], (target - weight @ target) * root
    if z.shape[1] <= len(z):
        slope = np.linalg.solve(zw.T @ zw + strength * np.eye(z.shape[1]), zw.T @ tw)
    else:
        slope = zw.T @ np.linalg.solve(zw @ zw.T + strength * np.eye(len(z)), tw)
    return lambda more: ((more - mean) / scale) @ slope


def scores(r, features, strength, beside=(), tested=None, fit=ridge):
    """[(kind, AI pictures, photographs, their scores)]; `features` an array or a function of the rows
    to train on. `beside`: other versions of it to train on too; `tested`: another to test on."""
    out = []
    for kind, rest, pairs in folds(r):
        index = np.flatnonzero(rest)
        all_rows = features(index) if callable(features) else features
        seen = np.concatenate([all_rows[index], *(b[index] for b in beside)])
        n = 1 + len(beside)
        score = fit(seen, np.tile(r.ai[index], n), np.tile(weights(r, index), n) / n, strength)
        read = all_rows if tested is None else tested
        out += [(kind, a, p, score(read[a]), score(read[p])) for a, p in pairs]
    return out


# ---- figures -----------------------------------------------------------------------------------
class Test:
    """One held-out set: which AI picture is above which photograph, and how like their captions are.

    Draws are columns of counts, the first of them once each picture: one product for all draws.
    """

    def __init__(self, r, text, kind, ai, real, a, b):
        self.kind, self.scenes = kind, kind in ("apart", NEW)
        over = (a[:, None] > b[None]) + 0.5 * (a[:, None] == b[None])
        self.over = over.astype(np.float32)
        self.like = np.exp((text[ai] @ text[real].T - 1) / WIDTH).astype(np.float32)
        self.large = np.isin(r.generator[ai], DECLARED["large"])[:, None]
        _, self.scene = np.unique(r.scene[ai].astype(str), return_inverse=True)

    def draws(self, state, count):
        """How often each AI picture and photograph is drawn: scenes, or pictures where there are none."""
        n, m = self.over.shape
        group = self.scene if self.scenes else np.arange(n)
        ai, real = np.ones((n, 1 + count), np.float32), np.ones((m, 1 + count), np.float32)
        groups = group.max() + 1
        ai[:, 1:] = state.multinomial(groups, np.full(groups, 1 / groups), count).T[group]
        real[:, 1:] = state.multinomial(m, np.full(m, 1 / m), count).T
        return ai, real

    def figures(self, state, count):
        """{figure: its value, then that of each draw}; nan where a draw has no such pictures."""
        ai, real = self.draws(state, count)
        out = {self.kind: (ai * (self.over @ real)).sum(0) / (ai.sum(0) * real.sum(0))}
        # each AI picture counts the same, its photographs by the likeness of their captions
        above = ((self.like * self.over) @ real) / (self.like @ real)
        if self.kind == NEW:
            out[NEW] = (ai * above).sum(0) / ai.sum(0)
        if self.kind == "apart":
            out["matched"] = (ai * above).sum(0) / ai.sum(0)
            some = ai * self.large
            if (some[:, 0] > 0).sum() > 4:
                total = some.sum(0)
                out["large"] = np.where(total > 0, (some * above).sum(0) / np.maximum(total, 1), np.nan)
        return out


def with_intervals(r, found, text, count=DRAWS, seed=1):
    """{figure: [value, low, high]}: means over folds, bootstrap of scenes and photographs in each."""
    state, values = np.random.default_rng(seed), {}
    for one in found:
        for name, value in Test(r, text, *one).figures(state, count).items():
            values.setdefault(name, []).append(value)
    means = {name: np.nanmean(v, 0) for name, v in values.items()}
    return {name: [float(v[0]), *metrics.interval(v[1:])] for name, v in means.items()}

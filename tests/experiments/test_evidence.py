#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folds and figures of experiments/evidence on rows whose answers are known. Skipped (77) where
numpy, scipy or scikit-learn are not there; tools/experiments.sh installs them."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "experiments" / "evidence"), str(ROOT / "experiments")]
try:
    import numpy as np
    import ideas
    import parts
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def pictures():
    out = []
    for i in range(12):
        for generators in parts.DECLARED["generators"]:
            out += [("ai", "dcsan_imagen", g, f"scene {i}") for g in generators]
        out += [("ai", "faker_portraits", "stable-diffusion-3", "a portrait"),
                ("ai", "realorfake", "stylegan2", "")]
        out += [("real", s, s, "") for s in parts.DECLARED["families"] if s != "faker_portraits"]
    return [dict(zip(("label", "source", "generator", "prompt"), row)) for row in out]


def folds_hold_out_all_of_it():
    r = parts.Rows(pictures())
    kinds = set()
    for kind, rest, pairs in parts.folds(r):
        kinds.add(kind)
        for ai, real in pairs:
            assert len(ai) and len(real) and r.ai[ai].all() and not r.ai[real].any()
            assert not rest[ai].any() and not rest[real].any()
            if kind == "apart":
                assert not set(r.generator[rest & r.ai]) & set(r.generator[ai])
                assert not set(r.scene[rest & r.shared]) & set(r.scene[ai])
                assert not set(r.family[rest & ~r.ai]) & set(r.family[real])
    assert len(kinds) == 5, kinds


def weights_are_halves():
    r = parts.Rows(pictures())
    index = np.arange(len(r.ai))
    weight = parts.weights(r, index)
    assert abs(weight[r.ai].sum() - 0.5) < 1e-9 and abs(weight.sum() - 1) < 1e-9
    assert abs(weight[r.source == "realorfake"].sum() - (0.5 / 3 + 0.5 / 5)) < 1e-9


def what_tells_and_what_does_not():
    r, random = parts.Rows(pictures()), np.random.default_rng(1)
    text = np.ones((len(r.ai), 1))
    label = r.ai[:, None] + random.normal(0, 0.01, (len(r.ai), 1))
    told = parts.with_intervals(r, parts.scores(r, label, 1), text)
    assert all(v[0] == 1 for v in told.values()), told
    # knowing the sources is worth nothing to a head that all sources are new to
    marks = np.stack([r.source == s for s in sorted(set(r.source))], 1).astype(float)
    known = parts.with_intervals(r, parts.scores(r, marks, 1), text)
    new = [name for name in known if name == parts.NEW or name.startswith("no faces")]
    assert len(new) == 3 and all(abs(known[name][0] - 0.5) < 0.01 for name in new), known


def likeness_takes_topic_away():
    """Topic makes AI pictures score high; among photographs of the same topic they do not."""
    r = parts.Rows(pictures())
    ai, real = np.flatnonzero(r.shared), np.flatnonzero(r.family == "flickr")
    text = np.zeros((len(r.ai), 2))
    text[:, 0] = 1
    text[real[:3]] = [0, 1]
    text[ai] = [0, 1]
    score = text[:, 1]
    out = parts.Test(r, text, "apart", ai, real, score[ai], score[real]).figures(np.random.default_rng(1), 5)
    assert out["apart"][0] > 0.8 and abs(out["matched"][0] - 0.5) < 0.01, out


def residuals_are_learnt_from_photographs():
    random = np.random.default_rng(2)
    given, ai = random.normal(size=(60, 3)), np.arange(60) < 20
    vectors = given @ random.normal(size=(3, 5))
    vectors[ai] += 1
    left = ideas.residual(vectors, given, ai, share=1e-9)(np.arange(60))
    assert np.abs(left[~ai]).max() < 1e-6 and np.abs(left[ai] - 1).max() < 0.2


if __name__ == "__main__":
    folds_hold_out_all_of_it()
    weights_are_halves()
    what_tells_and_what_does_not()
    likeness_takes_topic_away()
    residuals_are_learnt_from_photographs()
    print("evidence: folds, weights and figures as declared")

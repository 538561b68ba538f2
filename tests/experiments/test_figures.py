#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures, folds and features of the experiments on numbers whose answers are known. Skipped (77)
where numpy, scipy or scikit-learn are not there; tools/experiments.sh installs them."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))
try:
    import numpy as np
    import metrics
    import vectors
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def row(label, source, prompt="", generator=""):
    return {"label": label, "source": source, "prompt": prompt, "generator": generator}


def pictures(n=30):
    """Four sources, one of them with both labels; `same` spans two of them by its prompt."""
    return ([row("ai", "a", f"p{i}") for i in range(n)] + [row("real", "b") for _ in range(n)] +
            [row("ai", "c", "same") for _ in range(n)] + [row("real", "c") for _ in range(n)] +
            [row("real", "d", "same") for _ in range(n)])


def areas():
    assert metrics.auc([1, 2, 3, 4], [0, 0, 1, 1]) == 1.0
    assert metrics.auc([1, 1, 1, 1], [0, 0, 1, 1]) == 0.5
    assert metrics.auc([3, 1, 2], [1, 0, 1]) == 1.0 and np.isnan(metrics.auc([1, 2], [1, 1]))
    rows = pictures()
    scores = np.array([r["source"] == "a" for r in rows], float)  # knows a source, nothing else
    assert metrics.within(rows, scores) == 0.5
    low, high = metrics.within_interval(rows, np.random.default_rng(1).normal(size=len(rows)))[1:]
    assert 0.2 < low < 0.5 < high < 0.8, (low, high)


def folds_keep_units_whole():
    rows = pictures()
    fold, sources = metrics.folds(rows), metrics.column(rows, "source")
    assert all(len(set(fold[sources == s])) == 1 for s in set(sources))
    assert fold[sources == "c"][0] == fold[sources == "d"][0], "a prompt joins two sources"
    assert len(set(fold)) == 3


def nothing_is_learnt_of_the_fold():
    """A feature that marks the source is worth nothing where the source is held out."""
    rows = pictures()
    marks = np.array([[r["source"] == s for s in "abcd"] for r in rows], float)
    assert abs(metrics.within(rows, metrics.held_out(marks, rows)) - 0.5) < 1e-9
    told = np.array([[r["label"] == "ai"] for r in rows], float)
    assert metrics.within(rows, metrics.held_out(told, rows)) == 1.0
    pairs = metrics.apart(told, rows)
    assert pairs and all(v == 1.0 for v in pairs.values()), pairs


def weights_are_equal():
    rows = pictures() + [row("ai", "a", "p0")] * 50
    weight, label = metrics.balance(rows), metrics.labels(rows)
    source = metrics.column(rows, "source")
    assert abs(weight[label].sum() - weight[~label].sum()) < 1e-9
    assert abs(weight[label & (source == "a")].sum() - weight[label & (source == "c")].sum()) < 1e-9


def features_follow_the_formula():
    """By hand: two objects of width 2 with cosines 1 and 0."""
    crops, phrases = np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 0], [1, 0]])
    got = vectors.local_part("difference", crops, phrases)
    assert np.allclose(got, [-0.5, 0.5, 1, 2, 0.5, 0, 1, 0.5]), got
    assert np.allclose(vectors.local_part("cosine", crops, phrases), [1, 2, 0.5, 0, 1, 0.5])
    assert not vectors.local_part("product", crops[:0], phrases[:0]).any()
    assert np.allclose(vectors.global_part("product", crops[0], phrases[0]), [1, 0, 1])


def main():
    tests = (areas, folds_keep_units_whole, nothing_is_learnt_of_the_fold, weights_are_equal,
             features_follow_the_formula)
    for test in tests:
        test()
    print(f"{len(tests)} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

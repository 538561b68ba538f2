# SPDX-License-Identifier: Apache-2.0
"""Figures of one disturbance: within sources, paired with the undisturbed answers.

Rows are pictures in one order; for each condition there are arrays of scores and reasons.
"""
import metrics
import numpy as np
from scipy import stats

# Reasons that make a picture `unsure` whatever its score.
OBSTACLES = ("settings", "size", "caption_unreliable", "no_objects", "out_of_scope")
LEVEL = 0.95
RATES = {"fpr1": 0.01, "fpr5": 0.05}
MISSED = 0.1  # share of the AI pictures below the point for `real`, as docs/method.md has it


def compare_auc(rows, before, after):
    """Mean AUC within sources after a disturbance, and its difference to before: [value, low, high]."""
    if not metrics.paired_sources(rows):
        return None
    there, change = [], []
    for drawn in metrics.draws(rows):
        there.append(metrics.within(rows, after, drawn))
        change.append(there[-1] - metrics.within(rows, before, drawn))
    now = metrics.within(rows, after)
    return {"auc": [now, *metrics.interval(there)],
            "difference": [now - metrics.within(rows, before), *metrics.interval(change)]}


def paired(rows):
    """Numbers of the rows whose source has both labels."""
    return [i for i, row in enumerate(rows) if row["source"] in set(metrics.paired_sources(rows))]


def share(hits, of):
    """A share with its exact binomial interval."""
    if of == 0:
        return {"share": None, "interval": [0.0, 1.0], "count": 0, "of": 0}
    tail = (1 - LEVEL) / 2
    low = 0.0 if hits == 0 else stats.beta.ppf(tail, hits, of - hits + 1)
    high = 1.0 if hits == of else stats.beta.ppf(1 - tail, hits + 1, of - hits)
    return {"share": hits / of, "interval": [float(low), float(high)], "count": int(hits), "of": int(of)}


def verdicts(scores, reasons, threshold, real_below):
    """The library's rule, for a threshold that need not be the one that was asked for."""
    free = ~np.isin(reasons, OBSTACLES)
    ai = free & (scores >= threshold)
    real = free & (scores < real_below) & (real_below < threshold)
    return np.where(ai, "ai", np.where(real, "real", "unsure"))


def points_of(rows, scores):
    """Points as a calibration on these pictures would set them: thresholds by name, and for `real`."""
    real = metrics.column(rows, "label") == "real"
    points = {name: float(np.quantile(scores[real], 1 - rate)) for name, rate in RATES.items()}
    return points, float(np.quantile(scores[~real], MISSED))


def flips(a, b):
    return ((a == "ai") & (b == "real")) | ((a == "real") & (b == "ai"))


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 1 and np.std(a) > 0 and np.std(b) > 0 else None


def at_threshold(label, before, after):
    """False positives, verdicts and flips; `before` and `after` are verdicts."""
    real, n = label == "real", len(label)
    return {"false_positives": share(np.sum(real & (after == "ai")), np.sum(real)),
            "found": share(np.sum(~real & (after == "ai")), np.sum(~real)),
            "unsure": share(np.sum(after == "unsure"), n),
            "flips": share(np.sum(flips(before, after)), n),
            "changed": share(np.sum(before != after), n)}


def figures(rows, before, after, thresholds, real_below):
    """`before` and `after`: (scores, reasons); thresholds by name."""
    label, shift, some = metrics.column(rows, "label"), after[0] - before[0], paired(rows)
    out = {"within": compare_auc([rows[i] for i in some], before[0][some], after[0][some]),
           "shift": {what: float(np.mean(shift[label == what])) for what in ("ai", "real") if (label == what).any()},
           "correlation": correlation(before[0], after[0]),
           "out_of_scope": share(np.sum(after[1] == "out_of_scope"), len(rows))}
    for name, threshold in thresholds.items():
        old, new = (verdicts(*one, threshold, real_below) for one in (before, after))
        out[name] = at_threshold(label, old, new)
    return out

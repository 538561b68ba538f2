# SPDX-License-Identifier: Apache-2.0
"""Figures as docs/evaluation.md defines them, folds as `item train` makes them, logistic regression.

Scores are arrays in the order of the rows; a row is a dictionary of common.load_manifest().
"""
import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

DRAWS = 1000
FOLDS = 10  # at most, as item_train_options has it
PENALTY = 7.5  # on squares of weights beside the mean loss, as `item train --penalty`; the pack's head has it


def auc(scores, ai):
    """Probability that an AI picture scores above a photograph, ties counted half; nan of one label."""
    scores, ai = np.asarray(scores, float), np.asarray(ai, bool)
    n, m = ai.sum(), (~ai).sum()
    if n == 0 or m == 0:
        return np.nan
    return (rankdata(scores)[ai].sum() - n * (n + 1) / 2) / (n * m)


def labels(rows):
    return np.array([r["label"] == "ai" for r in rows])


def column(rows, name):
    return np.array([r[name] for r in rows], dtype=object)


def scenes(rows):
    """A prompt that several pictures share; a picture without one is a scene of its own."""
    return np.array([r.get("prompt") or f"\0{i}" for i, r in enumerate(rows)], dtype=object)


# ---- within sources ----------------------------------------------------------------------------
def paired_sources(rows):
    sources, ai = column(rows, "source"), labels(rows)
    return [s for s in sorted(set(sources)) if len(set(ai[sources == s])) == 2]


def within(rows, scores, draw=None):
    """Mean over the sources with both labels; `draw` maps a source to row numbers."""
    ai, sources = labels(rows), column(rows, "source")
    found = []
    for s in paired_sources(rows):
        index = np.flatnonzero(sources == s) if draw is None else draw[s]
        found.append(auc(scores[index], ai[index]))
    return float(np.mean(found)) if found else np.nan


def draws(rows, seed=1, count=DRAWS):
    """Bootstrap of scenes within source and label: maps of source to row numbers. Where one scene
    covers all of a stratum, such as "a portrait", pictures are drawn."""
    random = np.random.default_rng(seed)
    ai, sources, scene = labels(rows), column(rows, "source"), scenes(rows)
    strata = []
    for s in paired_sources(rows):
        for label in (False, True):
            index = np.flatnonzero((sources == s) & (ai == label))
            groups = [index[scene[index] == name] for name in dict.fromkeys(scene[index])]
            # of one prompt alone, drawing prompts would give the same pictures each time
            strata.append((s, groups if len(groups) > 1 else index[:, None]))
    for _ in range(count):
        out = {}
        for s, groups in strata:
            drawn = [groups[i] for i in random.integers(0, len(groups), len(groups))]
            out.setdefault(s, []).extend(drawn)
        yield {s: np.concatenate(parts) for s, parts in out.items()}


def interval(values):
    return [float(v) for v in np.percentile(values, [2.5, 97.5])]


def within_interval(rows, scores, seed=1):
    """[mean within-source AUC, low, high]."""
    drawn = [within(rows, scores, d) for d in draws(rows, seed)]
    return [within(rows, scores), *interval(drawn)]


def within_difference(rows, scores, others, seed=1):
    """[AUC of `scores` less that of `others`, low, high], on the same drawn pictures."""
    drawn = [within(rows, scores, d) - within(rows, others, d) for d in draws(rows, seed)]
    return [within(rows, scores) - within(rows, others), *interval(drawn)]


# ---- folds -------------------------------------------------------------------------------------
def units(rows):
    """Rows that must stay together: of one source, scene, or generator of AI pictures."""
    parent = list(range(len(rows)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(name, keep):
        first = {}
        for i, row in enumerate(rows):
            value = row.get(name)
            if not value or value == "unknown" or not keep(row):
                continue
            a, b = root(first.setdefault(value, i)), root(i)
            parent[max(a, b)] = min(a, b)

    join("prompt", lambda row: True)
    join("generator", lambda row: row["label"] == "ai")
    join("source", lambda row: True)
    return np.array([root(i) for i in range(len(rows))])


def folds(rows, most=FOLDS):
    """The number of the fold of each row: largest units first, each into the lightest fold."""
    unit, ai = units(rows), labels(rows)
    share = np.where(ai, 1 / max(ai.sum(), 1), 1 / max((~ai).sum(), 1))
    size = {u: share[unit == u].sum() for u in np.unique(unit)}
    load, fold = [0.0] * min(most, len(size)), {}
    for u in sorted(size, key=lambda u: (-size[u], u)):
        fold[u] = int(np.argmin(load))
        load[fold[u]] += size[u]
    return np.array([fold[u] for u in unit])


# ---- logistic regression -----------------------------------------------------------------------
def balance(rows):
    """Each label has half of the weight, each source of a label an equal part of it."""
    keys = [(r["label"], r["source"]) for r in rows]
    count = {k: keys.count(k) for k in set(keys)}
    of_label = {label: len({k for k in count if k[0] == label}) for label, _ in count}
    weight = np.array([1 / (of_label[k[0]] * count[k]) for k in keys])
    return weight * len(rows) / weight.sum()


def fit(features, rows, penalty=PENALTY):
    """Scaling and weights, both learnt from these rows alone; gives a function of features."""
    features = np.asarray(features, float)
    weight = balance(rows)
    mean = np.average(features, axis=0, weights=weight)
    deviation = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weight))
    deviation[deviation < 1e-9] = 1  # constant here: tells nothing

    def scale(more):
        return (np.asarray(more, float) - mean) / deviation

    # scikit-learn sums losses where `item train` takes their mean
    model = LogisticRegression(C=1 / (penalty * len(rows)), max_iter=2000)
    model.fit(scale(features), labels(rows), sample_weight=weight)
    return lambda more: model.decision_function(scale(more))


def held_out(features, rows, penalty=PENALTY):
    """Scores of each row by a regression that knows nothing of its fold."""
    features = np.asarray(features, float)
    fold, out = folds(rows), np.zeros(len(rows))
    for f in np.unique(fold):
        rest = np.flatnonzero(fold != f)
        score = fit(features[rest], [rows[i] for i in rest], penalty)
        out[fold == f] = score(features[fold == f])
    return out


def apart_scores(features, rows, penalty=PENALTY):
    """Each source of AI pictures against each of photographs, both held out: (rows, scores) by pair.

    No source of the test is known to the regression, so knowing sources gains nothing; topic still
    may, as the two sources show different things.
    """
    features = np.asarray(features, float)
    ai, unit, sources = labels(rows), units(rows), column(rows, "source")
    out = {}
    for a in sorted(set(sources[ai])):
        for r in sorted(set(sources[~ai])):
            tested = np.flatnonzero(((sources == a) & ai) | ((sources == r) & ~ai))
            rest = np.flatnonzero(~np.isin(unit, unit[tested]))
            if len(set(ai[rest])) == 2:
                score = fit(features[rest], [rows[i] for i in rest], penalty)
                out[f"{a} / {r}"] = tested, score(features[tested])
    return out


def apart(features, rows, penalty=PENALTY):
    """{pair: AUC} of apart_scores()."""
    ai = labels(rows)
    return {pair: float(auc(scores, ai[tested]))
            for pair, (tested, scores) in apart_scores(features, rows, penalty).items()}


def apart_interval(rows, found, less=None, seed=1, count=200):
    """[mean AUC over the pairs, low, high]; with `less` the difference to those scores. Pictures
    are drawn within pair and label."""
    ai, random = labels(rows), np.random.default_rng(seed)

    def mean(draw):
        values = []
        for pair, (tested, scores) in found.items():
            at = draw(ai[tested])
            value = auc(scores[at], ai[tested][at])
            values.append(value - auc(less[pair][1][at], ai[tested][at]) if less else value)
        return float(np.mean(values))

    def drawn(label):
        parts = [np.flatnonzero(label == kind) for kind in (False, True)]
        return np.concatenate([random.choice(p, len(p)) for p in parts])

    return [mean(lambda label: np.arange(len(label))), *interval([mean(drawn) for _ in range(count)])]

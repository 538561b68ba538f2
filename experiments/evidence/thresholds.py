# SPDX-License-Identifier: Apache-2.0
"""How a threshold should be set: each source of photographs against limits learnt from the others."""
import numpy as np
from scipy.stats import beta

import common
import parts


def pooled(scores, share):
    return float(np.quantile(np.concatenate(scores), share))


RULES = {
    "95 % of all others together": lambda scores: pooled(scores, 0.95),
    "95 % of the worst other": lambda scores: max(np.quantile(s, 0.95) for s in scores),
    "99 % of all others together": lambda scores: pooled(scores, 0.99),
}


def held_out(r, features, strength):
    """{source: scores} of photographs by a head that saw nothing of their family; and of AI pictures
    whose generator and scene it did not see."""
    out = {}
    for family in sorted(set(r.family[~r.ai])):
        index = np.flatnonzero(r.family != family)
        score = parts.ridge(features[index], r.ai[index], parts.weights(r, index), strength)
        for source in sorted(set(r.source[(r.family == family) & ~r.ai])):
            out[source] = score(features[(r.source == source) & ~r.ai])
    found = [(kind, a, s) for kind, a, _, s, _ in parts.scores(r, features, strength)]
    return out, np.concatenate([s for kind, _, s in found if kind == "apart"])


def exact(k, n):
    """[share, low, high], Clopper and Pearson, 95 %."""
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return [k / n, float(low), float(high)]


def measure(r, features, strength):
    """{rule: {source: share of its photographs called ai, with interval; recall of AI pictures}}."""
    real, ai = held_out(r, features, strength)
    family = {s: r.family[r.source == s][0] for s in real}
    out = {}
    for name, rule in RULES.items():
        found = {}
        for source, scores in real.items():
            limit = rule([s for other, s in real.items() if family[other] != family[source]])
            found[source] = exact(int((scores >= limit).sum()), len(scores))
        found["AI pictures, limit of all"] = float((ai >= rule(list(real.values()))).mean())
        out[name] = found
    return out


def table(found):
    names = list(next(iter(found.values())))
    return common.table(
        ["limit from", *names], [[rule, *(of[n] for n in names)] for rule, of in found.items()],
        "Share called `ai`, of photographs of a source that neither head nor limit has seen (exact "
        "binomial intervals), and of AI pictures of generators and scenes that the head has not seen. "
        "realorfake holds faces alone, and the head that judges it has seen no faces of either label: a "
        "topic that training lacks may be called `ai` whatever the limit.")

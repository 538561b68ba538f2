# SPDX-License-Identifier: Apache-2.0
"""Writes golden_math.h: values of the mathematics as NumPy, SciPy and scikit-learn have them.

Usage: python3 make_golden.py > golden_math.h
Made with Python 3.11.7, NumPy 2.4.6, SciPy 1.17.1, scikit-learn 1.9.1.
All inputs are drawn here, from a seed; nothing comes from elsewhere.
"""
import numpy as np
from scipy.optimize import minimize
from scipy.stats import beta, binom
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score, roc_curve

rng = np.random.default_rng(20261123)


def array(name, values, kind="double"):
    values = np.asarray(values).ravel()
    digits = {"double": lambda v: repr(float(v)), "float": lambda v: "%.9gf" % float(v)}
    text = [digits.get(kind, lambda v: str(int(v)))(v) for v in values]
    if kind == "float":
        text = [t if any(c in t for c in ".e") else t.replace("f", ".0f") for t in text]
    print(f"static const {kind} {name}[{len(text)}] = {{\n    {', '.join(text)}}};\n")


def units(n, width):
    v = rng.normal(size=(n, width))
    return (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)


def misalign(form, scope, image, text, crops, phrases):
    forms = {"difference": lambda a, b: a - b, "product": lambda a, b: a * b,
             "cosine": lambda a, b: a[..., :0]}
    out = []
    if scope != "local":
        out += [forms[form](image, text), [image @ text]]
    if scope != "global":
        cos = np.sum(crops * phrases, axis=1)
        width = 0 if form == "cosine" else len(image)
        if len(crops):
            out += [forms[form](crops, phrases).mean(axis=0),
                    [1, len(crops), cos.mean(), cos.min(), cos.max(), cos.std()]]
        else:
            out += [np.zeros(width + 6)]
    return np.concatenate(out)


def misalignment():
    width = 7
    image, text, crops, phrases = units(1, width)[0], units(1, width)[0], units(3, width), units(3, width)
    for name, v in (("image", image), ("text", text), ("crops", crops), ("phrases", phrases)):
        array("golden_" + name, v, "float")
    wide = [v.astype(np.float64) for v in (image, text, crops, phrases)]
    print(f"#define GOLDEN_WIDTH {width}\n")
    print("static const struct {\n    const char *layout;\n    size_t objects, count;\n"
          "    double value[32];\n} golden_layouts[] = {")
    for form in ("difference", "product", "cosine"):
        for scope in ("global", "local", "both"):
            for n in (3, 1, 0):
                v = misalign(form, scope, wide[0], wide[1], wide[2][:n], wide[3][:n])
                text = ", ".join(repr(float(x)) for x in v)
                print(f'    {{"{form}/{scope}/1", {n}, {len(v)}, {{{text}}}}},')
    print("};\n")


def ece(p, y, w, bins):
    order = np.argsort(p, kind="stable")
    # the library walks its ranking backwards: ties fall by falling row number
    order = np.array(sorted(order, key=lambda i: (p[i], -i)))
    middle = np.cumsum(w[order]) - w[order] / 2
    which = np.minimum((middle * bins / w.sum()).astype(int), bins - 1)
    error = 0
    for b in range(bins):
        rows = order[which == b]
        error += abs(np.sum(w[rows] * p[rows]) - np.sum(w[rows] * y[rows]))
    return error / w.sum()


def metrics():
    n = 240
    y = (rng.random(n) < 0.4).astype(int)
    p = np.round(np.clip(0.25 + 0.3 * y + 0.2 * rng.normal(size=n), 0, 1), 2)  # with ties
    w = rng.integers(1, 5, size=n).astype(float)
    array("golden_p", p)
    array("golden_y", y, "uint8_t")
    array("golden_w", w)
    print("/* weighted: 0, 1; AUC, AP, TPR at 1 %, 5 %, 20 %, Brier, ECE in 10 bins */")
    rows = []
    for weight in (np.ones(n), w):
        fpr, tpr, _ = roc_curve(y, p, sample_weight=weight, drop_intermediate=False)
        rows.append([roc_auc_score(y, p, sample_weight=weight),
                     average_precision_score(y, p, sample_weight=weight)]
                    + [tpr[fpr <= rate + 1e-12].max() for rate in (0.01, 0.05, 0.2)]
                    + [brier_score_loss(y, p, sample_weight=weight), ece(p, y, weight, 10)])
    array("golden_metrics", rows)
    real = np.sort(p[y == 0])
    ai = np.sort(p[y == 1])
    points = []
    for rate in (0.01, 0.05, 0.2):
        fit = [t for t in np.unique(real) if np.sum(real >= t) <= np.floor(rate * len(real))]
        points.append(min(fit))
    k = int(0.1 * len(ai))  # of n: a new score has rank k + 1 or less with probability (k + 1) / (n + 1)
    points.append(ai[k - 1] if ai[k] == ai[k - 1] else np.nextafter(ai[k - 1], 2))
    print("/* thresholds at 1 %, 5 %, 20 %; point for real at 10 % */")
    array("golden_points", points)
    array("golden_quantiles", np.quantile(p, [0, 0.1, 0.333, 0.9, 1]))


def platt():
    n = 150
    y = (rng.random(n) < 0.5).astype(int)
    s = 3 * rng.normal(size=n) + 2 * y + 1.5
    w = 0.5 + rng.random(n)
    t = np.where(y == 1, (y.sum() + 1) / (y.sum() + 2), 1 / (n - y.sum() + 2))

    def loss(v):
        z = v[0] * s + v[1]
        return np.sum(w * (np.logaddexp(0, z) - t * z))

    fit = minimize(loss, [1.0, 0.0], method="BFGS", options={"gtol": 1e-10}).x
    array("golden_platt_s", s)
    array("golden_platt_y", y, "uint8_t")
    array("golden_platt_w", w)
    print("/* temperature, bias */")
    array("golden_platt", [1 / fit[0], fit[1] / fit[0]])


def logistic():
    n, d = 200, 5
    x = (rng.normal(size=(n, d)) * [1, 2, 0.1, 5, 1] + [0, 3, 1, -7, 0.5]).astype(np.float32)
    z = (x[:, 0] - 0.5 * x[:, 1] + 6 * x[:, 2] - 0.1 * x[:, 3]) - 5
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    w = 0.5 + rng.random(n)
    wide = x.astype(np.float64)
    mean = np.average(wide, axis=0, weights=w)
    scale = 1 / np.sqrt(np.average((wide - mean) ** 2, axis=0, weights=w))
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10000)
    model.fit((wide - mean) * scale, y, sample_weight=w)
    array("golden_lr_x", x, "float")
    array("golden_lr_y", y, "uint8_t")
    array("golden_lr_w", w)
    print("/* means, scales, coefficients, intercept */")
    array("golden_lr", np.concatenate([mean, scale, model.coef_[0], model.intercept_]))


def binomial():
    rows = []
    for k, n in ((0, 20), (1, 20), (3, 50), (50, 50), (7, 1594), (800, 1600)):
        low = beta.ppf(0.025, k, n - k + 1) if k else 0
        high = beta.ppf(0.975, k + 1, n - k) if k < n else 1
        rows.append([k, n, low, high])
    print("/* k, n, low, high at 95 % */")
    array("golden_binomial", rows)


def allowed():
    """The largest k that a promise allows of n: -1 where n is too small for any."""
    print("/* n, rate, confidence; k: binomial tail at k is at most 1 - confidence */")
    rows = []
    for n in (20, 58, 59, 92, 93, 298, 299, 472, 473, 1000, 5000):
        for rate in (0.01, 0.05, 0.5):
            for confidence in (0.6, 0.95, 0.999):
                tail = binom.cdf(np.arange(n), n, rate)
                rows.append([n, rate, confidence, np.sum(tail <= 1 - confidence) - 1])
    array("golden_allowed", rows)
    print("/* at most k of n, each with probability p */")
    array("golden_at_most", [[k, n, p, binom.cdf(k, n, p)] for k, n, p in
                             ((0, 59, 0.05), (3, 10, 0.5), (9, 10, 0.9), (40, 1000, 0.05),
                              (10, 10, 0.3), (2, 100000, 1e-5))])


print("/* SPDX-License-Identifier: Apache-2.0 */")
print("/* Made by make_golden.py: do not edit. */")
print("#ifndef GOLDEN_MATH_H\n#define GOLDEN_MATH_H\n\n#include <stddef.h>\n#include <stdint.h>\n")
misalignment()
metrics()
platt()
logistic()
binomial()
allowed()
print("#endif")

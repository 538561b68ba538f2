#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evidence of phrases, crops, cells and views, and other heads on the chosen features; train alone.

All of it from the columns that `item features --views 15` writes: phrases of the caption (`named`),
those that were found with their crops, and views of the picture, of which the last nine are the
cells of a grid of three by three. Measured as choice.py does. The signs are learnt.
"""
import sys
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "arms")]
import baselines  # noqa: E402
import choice  # noqa: E402
import common  # noqa: E402
import evidence  # noqa: E402
import metrics  # noqa: E402
import parts  # noqa: E402
import vectors  # noqa: E402

VIEWS, CELLS = 15, slice(6, 15)
BANK = 500  # phrases of photographs that the own ones are ranked among
COMPONENTS = 32


class Columns:
    """By row: phrases of the caption, phrases found with their crops, views."""

    def __init__(self, data, order):
        self.data, self.order = data, order
        self.first = np.concatenate([[0], np.cumsum(data.column["named_count"])]).astype(int)
        self.image, self.text = data.image[order], data.text[order]
        self.views = data.column["views"].reshape(len(data), VIEWS, -1)[order]

    def named(self, i):
        row = self.order[i]
        return self.data.column["named"][self.first[row]:self.first[row + 1]]

    def of_rows(self, count, of):
        """[rows x count]; zeros where `of` gives None, with whether it gave anything in front."""
        out = np.zeros((len(self.order), 1 + count))
        for i in range(len(self.order)):
            found = of(i)
            if found is not None:
                out[i] = [1, *found]
        return out


def spread(values):
    return [values.mean(), values.min(), values.max(), values.std()]


# ---- ideas: features of all rows ---------------------------------------------------------------
def crops_with_phrases(c, bank):
    """Rank and margin of each found phrase for its crop, in a bank of other phrases."""
    def of(i):
        crops, phrases = c.data.objects(c.order[i])
        if len(crops) == 0:
            return None
        own, others = (crops * phrases).sum(1), crops @ bank.T
        rank = (others > own[:, None]).mean(1)
        return [*spread(own), *spread(rank), *spread(own - others.max(1)), len(crops)]
    return c.of_rows(13, of)


def phrases_on_cells(c):
    """Each phrase's best cell: how near, by how much nearer than the others, how concentrated."""
    def of(i):
        named = c.named(i)
        if len(named) == 0:
            return None
        near = named @ c.views[i, CELLS].T
        share = np.exp(near / 0.05)
        share /= share.sum(1, keepdims=True)
        entropy = -(share * np.log(share)).sum(1)
        return [*spread(near.max(1)), *spread(near.max(1) - near.mean(1)), *spread(entropy), len(named)]
    return c.of_rows(13, of)


def named_not_found(c):
    """How many phrases there are, how many were found, the rest, and how near that lies to the picture."""
    def of(i):
        named, (_, found) = c.named(i), c.data.objects(c.order[i])
        if len(named) == 0:
            return None
        missing = named if len(found) == 0 else named[(named @ found.T).max(1) < 0.999]
        near = missing @ c.image[i] if len(missing) else np.zeros(1)
        return [len(named), len(found), len(missing), len(missing) / len(named), near.mean(), near.min()]
    return c.of_rows(6, of)


def found_not_named(c):
    """What the caption leaves of the cells: how far each lies from all that the caption says."""
    def of(i):
        said = np.concatenate([c.text[i:i + 1], c.named(i)])
        near = (c.views[i, CELLS] @ said.T).max(1)
        return spread(near)
    return c.of_rows(4, of)


def views_and_spread(c):
    """Cosines of views with the whole and with the caption: mirrored, middle, quarters, cells."""
    whole, caption = (np.einsum("nvd,nd->nv", c.views, v) for v in (c.image, c.text))
    quarters = slice(2, 6)
    return np.concatenate([whole[:, :2], caption[:, :2], *(
        np.stack([v[:, part].mean(1), v[:, part].min(1), v[:, part].std(1)], 1)
        for part in (quarters, CELLS) for v in (whole, caption))], 1)


def mean_of_views(c):
    """The picture's vector as the mean over the whole, its mirror, the middle and the quarters."""
    return (c.image + c.views[:, :6].sum(1)) / 7


def ideas(c, ai, rows):
    named = np.concatenate([c.named(i) for i in np.flatnonzero(~ai)])
    bank = named[np.random.default_rng(1).choice(len(named), BANK, replace=False)]
    everything = [crops_with_phrases(c, bank), phrases_on_cells(c), named_not_found(c),
                  found_not_named(c), views_and_spread(c)]
    names = ["found phrases and their crops: rank and margin", "phrases against nine cells",
             "named and not found", "in the cells and not named", "views: cosines and spread"]
    mean = mean_of_views(c)
    return [*zip(names, everything), ("all of these numbers", np.concatenate(everything, 1)),
            ("mean of seven views", mean),
            ("mean of seven views, and its difference to the caption", np.concatenate([mean, mean - c.text], 1)),
            ("control: number of phrases", c.data.column["named_count"][c.order][:, None]),
            ("frequencies of the picture", baselines.features("frequencies", c.data, c.order, rows))]


# ---- other heads on the chosen features --------------------------------------------------------
def draw_by_weight(weight, count, seed=1):
    """The network of scikit-learn takes no weights: rows are drawn by them."""
    return np.random.default_rng(seed).choice(len(weight), count, p=weight / weight.sum())


def mlp(units):
    def fit(features, ai, weight, strength):
        mean, deviation = features.mean(0), features.std(0) + 1e-6
        drawn = draw_by_weight(weight, len(features))
        net = MLPClassifier([units], alpha=strength, max_iter=40, early_stopping=True, random_state=1)
        net.fit(((features - mean) / deviation)[drawn], ai[drawn])
        return lambda more: np.log(net.predict_proba((more - mean) / deviation) + 1e-9) @ [-1, 1]
    return fit


def after_pca(features, ai, weight, strength):
    model = PCA(COMPONENTS, random_state=1).fit(features)
    score = parts.ridge(model.transform(features), ai, weight, strength)
    return lambda more: score(model.transform(more))


HEADS = [("ridge, as the other tables", parts.ridge, choice.SQUARES * metrics.PENALTY),
         (f"{COMPONENTS} principal components, ridge", after_pca, choice.SQUARES * metrics.PENALTY),
         ("network of 16 units, decay 0.01", mlp(16), 0.01), ("network of 16 units, decay 10", mlp(16), 10.0)]


def main():
    args = common.arguments(__doc__)
    rows, data, order = choice.vectors_of(args, "--views", str(VIEWS))
    r, c, text = parts.Rows(rows), Columns(data, order), data.text[order].astype(np.float64)
    of_ideas = {name: evidence.measure(r, text, name, features.astype(np.float64), 1.0)
                for name, features in ideas(c, r.ai, rows)}
    chosen = vectors.of_layout(choice.CHOSEN, data, order).astype(np.float64)
    of_heads = {name: evidence.measure(r, text, name, chosen, strength, fit=fit) for name, fit, strength in HEADS}
    common.write(args, __file__, "phrases", {"ideas": of_ideas, "heads": of_heads}, {
        "evidence-phrases": evidence.table("from phrases, cells and views", of_ideas),
        "evidence-heads": evidence.table("head on the chosen features", of_heads)})


if __name__ == "__main__":
    main()

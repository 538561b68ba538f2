# SPDX-License-Identifier: Apache-2.0
"""Two ways to change a picture so that its score rises or falls: with gradients, and without."""
import numpy as np
import torch


def projected_gradient(score, picture, radius, steps=50, up=True, seed=1):
    """Steps by the gradient's sign within `radius` (of 255) of every value, from a random start.

    Gives whole numbers: the best of all steps after rounding, and its score.
    """
    generator = torch.Generator().manual_seed(seed)
    low, high = (picture - radius).clamp(min=0), (picture + radius).clamp(max=255)
    x = picture + (torch.rand(picture.shape, generator=generator) * 2 - 1) * radius
    x, sign, step = x.clamp(low, high), 1 if up else -1, 2.5 * radius / steps
    best, best_score = picture, -float("inf")
    for i in range(steps + 1):
        x = x.detach().requires_grad_(True)
        value = sign * score(x)
        value.backward()
        whole = torch.minimum(torch.maximum(x.detach().round(), low), high)
        with torch.no_grad():
            kept = sign * float(score(whole)) if i % 10 == 0 or i == steps else -float("inf")
        if kept > best_score:
            best, best_score = whole, kept
        x = torch.minimum(torch.maximum(x.detach() + step * x.grad.sign(), low), high)
    return best, sign * best_score


def side_of(query, queries, first=0.3, size=224):
    """How wide the square is: it is halved as queries are used up."""
    halvings = sum(query / queries > at for at in (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8))
    return max(1, round((first / 2 ** halvings) ** 0.5 * size))


def square(score, picture, radius, queries=500, up=True, seed=1):
    """The Square attack (L-infinity): random squares of +-radius, kept where the score moves on.

    `score` answers for one picture and is asked `queries` times. Returns picture, score and the
    scores of the best after each query.
    """
    rng, sign = np.random.default_rng(seed), 1 if up else -1
    channels, h, w = picture.shape
    stripes = torch.from_numpy(rng.choice([-1.0, 1.0], (channels, 1, w))).float() * radius
    best = (picture + stripes).clamp(0, 255)
    value = sign * float(score(best))
    path = [sign * value]
    for query in range(1, queries):
        s = min(side_of(query, queries), h, w)
        y, x = int(rng.integers(0, h - s + 1)), int(rng.integers(0, w - s + 1))
        change = torch.from_numpy(rng.choice([-1.0, 1.0], (channels, 1, 1))).float() * radius
        trial = best.clone()
        trial[:, y:y + s, x:x + s] = (picture[:, y:y + s, x:x + s] + change).clamp(0, 255)
        now = sign * float(score(trial))
        if now > value:
            best, value = trial, now
        path.append(sign * value)
    return best, sign * value, path

# SPDX-License-Identifier: Apache-2.0
"""The baselines beside the arms: features of each, for the regression of metrics.py."""
import numpy as np
from PIL import Image
from scipy import fft, ndimage

SIDE = 128  # every picture gives the same number of rings, whatever its size
RINGS = 32


def residual(picture):
    """Grey values less their median in a square of three: what smooth content does not explain."""
    grey = np.asarray(picture.convert("L"), np.float32)
    return grey - ndimage.median_filter(grey, 3)


def squares(values):
    """Pieces of SIDE x SIDE that cover the picture from its corners; smaller ones are mirrored."""
    pad = [max(SIDE - n, 0) for n in values.shape]
    values = np.pad(values, [(0, pad[0]), (0, pad[1])], mode="symmetric")
    h, w = values.shape
    for y in sorted({0, h - SIDE}):
        for x in sorted({0, w - SIDE}):
            yield values[y:y + SIDE, x:x + SIDE]


def rings():
    y, x = np.mgrid[:SIDE, :SIDE // 2 + 1]
    radius = np.hypot(np.minimum(y, SIDE - y), x)
    return np.minimum((radius / (SIDE / 2) * RINGS).astype(int), RINGS)


RING = rings()
WINDOW = np.outer(np.hanning(SIDE), np.hanning(SIDE))


def spectrum(path):
    """Logarithm of the mean power in each ring of frequencies [RINGS + 1]."""
    with Image.open(path) as picture:
        values = residual(picture)
    total, count = np.zeros(RINGS + 1), 0
    for piece in squares(values):
        power = np.abs(fft.rfft2((piece - piece.mean()) * WINDOW)) ** 2
        total += np.bincount(RING.ravel(), power.ravel(), RINGS + 1)
        count += 1
    return np.log(total / count / np.bincount(RING.ravel(), minlength=RINGS + 1) + 1e-3)


def features(kind, data, order, rows):
    """[rows x n]; the vectors of these rows stand in `data` at `order`."""
    if kind == "probe":
        return data.image[order]
    if kind == "rule":
        return -(data.image[order] * data.text[order]).sum(1, keepdims=True)
    return np.stack([spectrum(r["path"]) for r in rows])

# SPDX-License-Identifier: Apache-2.0
"""A backend in Python with all stages, which needs no model: what it says follows the pixels.

Also a module for item-conformance (conformance_module.c): every answer depends on its own input
alone, and no state is kept.
"""

from __future__ import annotations

import math
from typing import Any, Sequence

import numpy as np
import numpy.typing as npt

import libitem
from libitem.backends import Box, Call, Caption, Crop

COLOURS = ("red", "green", "blue")


class StandIn:
    name = "stand-in"
    id = "1"
    width = 16

    def caption(self, pictures: list[libitem.Image], call: Call) -> Sequence[str | Caption]:
        found = []
        for picture in pictures:
            call.stop_if_cancelled()
            colour = COLOURS[int(picture.pixels.reshape(-1, 3).mean(axis=0).argmax())]
            found.append(Caption(f"a {colour} dog and a ball", -0.5, 0.25, (7, 8)))
        return found

    def score(
        self, pictures: list[libitem.Image], texts: list[str], call: Call
    ) -> list[float]:
        said = self.caption(pictures, call)
        return [-0.5 if text == caption[0] else -1.0 for text, caption in zip(texts, said)]

    def detect(
        self, pictures: list[libitem.Image], phrases: list[list[str]], call: Call
    ) -> list[list[Box]]:
        found = []
        for picture, words in zip(pictures, phrases):
            w, h = picture.width, picture.height
            boxes = [
                Box(i, (0.0, 0.0, w / (1 + j), float(h)), 0.75 - 0.25 * j)
                for i in range(len(words))
                for j in range(2)
            ]
            least = call.least_score
            if not math.isnan(least):
                boxes = [box for box in boxes if box.score >= least]
            if call.max_boxes == 1:
                boxes = [box for box in boxes if box.score == 0.75]
            found.append(boxes)
        return found

    def embed_images(self, crops: list[Crop], call: Call) -> npt.ArrayLike:
        rows = []
        for crop in crops:
            call.stop_if_cancelled()
            pixels = crop.pixels.reshape(-1, 3)
            rows.append(np.concatenate([pixels.mean(axis=0), pixels.std(axis=0), [1.0] * 10]))
        return _unit(rows)

    def embed_texts(self, texts: list[str], call: Call) -> npt.ArrayLike:
        rows = []
        for text in texts:
            data = text.encode()
            rows.append([data.count(letter) + 1.0 for letter in b"abcdefghilmnorst"])
        return _unit(rows)


# mypy compares it with what open() takes
AS_CAPTIONER: libitem.backends.Captioner = StandIn()
AS_DETECTOR: libitem.backends.Detector = StandIn()
AS_EMBEDDER: libitem.backends.Embedder = StandIn()


def _unit(rows: list[Any]) -> npt.ArrayLike:
    array = np.array(rows, dtype=np.float64)
    found: npt.ArrayLike = array / np.linalg.norm(array, axis=1, keepdims=True)
    return found


def open(**changed: Any) -> libitem.Context:
    """A context on three stages of this kind, or of the caller's."""
    one = StandIn()
    stages: dict[str, Any] = {"captioner": one, "detector": one, "embedder": one}
    return libitem.open(**{**stages, **changed})

# SPDX-License-Identifier: Apache-2.0
"""One side of the measurement: a process that keeps a model open and answers each line with JSON.

usage: side.py JSON      of kind (check, embed, resnet, spectrum), item, and what the kind needs
"""
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "arms")]
import baselines  # noqa: E402
import native  # noqa: E402


def picture(path, edge=None):
    with Image.open(path) as file:
        found = file.convert("RGB")
    return np.asarray(found.resize((edge, edge), Image.Resampling.BICUBIC) if edge else found)


class Check:
    """The whole chain on `files`, `batch` at a time."""

    def __init__(self, asked):
        where = SimpleNamespace(item=Path(asked["item"]), pack=Path(asked["pack"]))
        self.files, self.batch = asked["files"], asked.get("batch", 1)
        self.context = native.Context(where, **{"batch": self.batch, **asked.get("settings", {})})

    def run(self):
        found = self.context.check(self.files, some=self.batch)
        names = found[0]["times"]
        return {"stages": {n: float(np.median([a["times"][n] for a in found])) for n in names},
                "objects": float(np.mean([len(a["names"]) for a in found]))}


class Embed:
    """Vectors of `count` pictures in one call, and a linear head on them."""

    def __init__(self, asked):
        where = SimpleNamespace(item=Path(asked["item"]), pack=Path(asked["pack"]))
        self.context, self.width = native.Context(where), asked["width"]
        self.pictures = [picture(f) for f in (asked["files"] * asked["count"])[:asked["count"]]]
        self.head = np.random.default_rng(1).normal(size=self.width).astype(np.float32)

    def run(self):
        scores = self.context.embed(self.pictures, self.width, some=len(self.pictures)) @ self.head
        return {"answers": len(scores)}


class ResNet:
    """ResNet-50 with random weights in ONNX Runtime, from files to scores."""

    def __init__(self, asked):
        import onnxruntime
        import resnet
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count()
        self.session = onnxruntime.InferenceSession(resnet.ensure(Path(asked["work"])), options,
                                                    providers=["CPUExecutionProvider"])
        self.files = (asked["files"] * asked["count"])[:asked["count"]]

    def run(self):
        pixels = np.stack([picture(f, 224) for f in self.files]).astype(np.float32).transpose(0, 3, 1, 2)
        out = self.session.run(None, {"pixels": (pixels - 116) / 58})[0]
        return {"answers": len(out)}


class Spectrum:
    def __init__(self, asked):
        self.file = asked["files"][0]

    def run(self):
        return {"answers": len(baselines.spectrum(self.file))}


KINDS = {"check": Check, "embed": Embed, "resnet": ResNet, "spectrum": Spectrum}


def main():
    asked = json.loads(sys.argv[1])
    side = KINDS[asked["kind"]](asked)
    for _ in sys.stdin:
        start = time.perf_counter()
        said = side.run()
        took = 1000 * (time.perf_counter() - start)
        print(json.dumps({"ms": took, **said}), flush=True)


if __name__ == "__main__":
    main()

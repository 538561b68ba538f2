# SPDX-License-Identifier: Apache-2.0
"""The small pack's way from pixels to score in PyTorch, so that it can be differentiated.

Forward passes are those of recipes/. What is discrete stays fixed: caption, phrases and boxes come
from the program, and so do the vectors of texts. A head's layout is read term by term.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch  # is not in requirements.txt: install a CPU build beside (README.md)
from PIL import Image
from safetensors import safe_open

REPO = Path(__file__).resolve().parents[2]
sys.path.append(str(REPO / "recipes"))
import embedder  # noqa: E402
import image_encoder  # noqa: E402
from common import load  # noqa: E402

SIZE = image_encoder.SIZE
POOLED = 6


# ---- resizing: Pillow's answer, with the gradient of its weights ----

def cubic(x, a=-0.5):
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def weights(count, start, end, out=SIZE):
    """Pillow's bicubic weights (out, count) from pixels start..end of a row of `count`."""
    scale = (end - start) / out
    stretch = max(scale, 1.0)
    w = np.zeros((out, count), np.float32)
    for i in range(out):
        centre = start + (i + 0.5) * scale
        first, last = max(int(centre - 2 * stretch + 0.5), 0), min(int(centre + 2 * stretch + 0.5), count)
        row = cubic((np.arange(first, last) + 0.5 - centre) / stretch)
        w[i, first:last] = row / row.sum()
    return torch.from_numpy(w)


class Crop(torch.autograd.Function):
    """A box of a picture (3, h, w), brought to 224 pixels: Pillow forward, its weights backward."""

    @staticmethod
    def forward(ctx, picture, box):
        ctx.sides, ctx.box = picture.shape[1:], box
        whole = Image.fromarray(picture.detach().round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy())
        part = np.asarray(whole.resize((SIZE, SIZE), Image.BICUBIC, box=box))
        return torch.from_numpy(part.copy()).permute(2, 0, 1).float()

    @staticmethod
    def backward(ctx, gradient):
        (h, w), (x0, y0, x1, y1) = ctx.sides, ctx.box
        down, across = weights(h, y0, y1), weights(w, x0, x1)
        return torch.einsum("yh,cyx,xw->chw", down, gradient, across), None


def clamped(box, w, h):
    """Corners that were printed with nine digits may lie a hair outside."""
    x0, y0, x1, y1 = box
    return max(x0, 0.0), max(y0, 0.0), min(x1, float(w)), min(y1, float(h))


# ---- the layout's terms ----

FORMS = {"difference": lambda a, b: a - b, "product": lambda a, b: a * b, "cosine": lambda a, b: a[..., :0]}


def global_part(form, seen):
    image, text = seen["image"], seen["text"]
    return torch.cat([FORMS[form](image, text), (image * text).sum()[None]])


def local_part(form, seen):
    crops, phrases = seen["crops"], seen["phrases"]
    size = FORMS[form](seen["image"], seen["text"]).numel()
    if len(crops) == 0:
        return seen["image"].new_zeros(size + POOLED)
    cosine = (crops * phrases).sum(1)
    spread = (cosine - cosine.mean()).square().mean()
    spread = torch.where(spread > 1e-12, spread, torch.zeros(())).clamp(min=1e-24).sqrt()
    pooled = torch.stack([torch.ones(()), torch.tensor(float(len(crops))), cosine.mean(), cosine.min(),
                          cosine.max(), spread])
    return torch.cat([FORMS[form](crops, phrases).mean(0), pooled])


def term(name):
    """The function of one term of a layout; one that is not known here is refused."""
    parts = name.split("/")
    if parts == ["picture", "1"]:
        return lambda seen: seen["image"]
    if parts == ["caption", "1"]:
        return lambda seen: seen["text"]
    if parts == ["layers", "1"]:
        return lambda seen: seen["layers"]
    if len(parts) == 3 and parts[0] in FORMS and parts[1] in ("global", "local", "both") and parts[2] == "1":
        form, scope = parts[0], parts[1]
        one = [p for p, s in ((global_part, "global"), (local_part, "local")) if scope in (s, "both")]
        return lambda seen: torch.cat([part(form, seen) for part in one])
    raise ValueError(f"term `{name}` of the head's layout is not known to attacks/chain.py")


# ---- head ----

class Head:
    def __init__(self, path):
        with safe_open(path, "pt") as f:
            self.facts = json.loads(f.metadata()["item_head"])
            t = {k: f.get_tensor(k) for k in f.keys()}
        self.terms = [term(name) for name in self.facts["layout"].split("+")]
        self.reads_objects = any(part in self.facts["layout"] for part in ("/local/", "/both/"))
        self.mean, self.scale = t["mean"], t["scale"]
        count = sum(k.endswith(".weight") for k in t if k.startswith("layers."))
        self.layers = [(t[f"layers.{i}.weight"], t[f"layers.{i}.bias"]) for i in range(count)]

    def score(self, seen):
        x = (torch.cat([one(seen) for one in self.terms]) - self.mean) * self.scale
        for i, (weight, bias) in enumerate(self.layers):
            x = weight @ x + bias
            x = x.relu() if i + 1 < len(self.layers) else x
        return (x[0] + self.facts["bias"]) / self.facts["temperature"]

    def threshold(self, name):
        value = self.facts["thresholds"][name]["score"]
        return float("inf") if value is None else value


# ---- the chain ----

class Chain:
    """Scores of pictures 224 pixels wide and high, float (3, 224, 224) with values 0 to 255."""

    def __init__(self, pack, head=None):
        self.encoder, _ = load(pack / "image_encoder.safetensors")
        state, _ = load(pack / "embedder.safetensors")
        self.embedder = embedder.Embedder()
        self.embedder.load_state_dict(state)
        self.embedder.eval().requires_grad_(False)
        self.head = Head(head or pack / "head.safetensors")
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (image_encoder.MEAN, image_encoder.STD))
        self.normalise = lambda x: (x / 255 - mean) / std

    def vectors(self, pictures):
        """Unit vectors of a list of (3, 224, 224), and inner layers: the means of their grids."""
        x = torch.stack([self.normalise(p) for p in pictures])
        grid = image_encoder.encode(self.encoder, x)
        return self.embedder.image(grid), grid.mean(1)

    def score(self, picture, fixed):
        """`fixed`: boxes, and vectors of the caption (text) and of the phrases."""
        boxes = fixed["boxes"] if self.head.reads_objects else []
        crops = [Crop.apply(picture, box) for box in boxes]
        v, layers = self.vectors([picture] + crops)
        return self.head.score({"image": v[0], "crops": v[1:], "text": fixed["text"],
                                "phrases": fixed["phrases"][:len(crops)], "layers": layers[0]})


def pixels_of(picture):
    return torch.from_numpy(np.asarray(picture.convert("RGB")).copy()).permute(2, 0, 1).float()


def read(path):
    """Pixels of a picture that is as large as the chain wants it."""
    with Image.open(path) as picture:
        if picture.size != (SIZE, SIZE):
            raise ValueError(f"{path}: {picture.width} x {picture.height} pixels, not {SIZE} x {SIZE}")
        return pixels_of(picture)


def write(pixels, path):
    """As PNG, so that what was computed is what the program reads, but for whole numbers."""
    a = pixels.detach().round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(a).save(path)


def fixed_parts(answer, vector_of):
    """What an attack holds fixed, from an answer of the program; vector_of: text to its vector."""
    boxes = [clamped(o["box"], SIZE, SIZE) for o in answer["objects"]]
    phrases = [vector_of[o["phrase"]] for o in answer["objects"]]
    width = len(next(iter(vector_of.values())))
    return {"boxes": boxes, "text": torch.tensor(vector_of[answer["caption"]]),
            "phrases": torch.tensor(phrases).reshape(-1, width)}

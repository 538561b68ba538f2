# SPDX-License-Identifier: Apache-2.0
"""Generated pictures as PNG, so that both sides read the same pixels.

Shapes, waves and noise in colours of a seed: they are ours, and free to use like the rest.
"""
import numpy as np
from PIL import Image, ImageDraw

# Width and height: small and large, long and tall, and what falls between whole ratios.
SHAPES = [(64, 48), (48, 64), (33, 33), (224, 224), (320, 240), (240, 320), (101, 67), (500, 333),
          (333, 500), (640, 100), (90, 610), (17, 23), (448, 448), (255, 257), (400, 300),
          (1, 1), (7, 200), (300, 5), (768, 512), (1024, 683)]


def waves(rng, width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = []
    for _ in range(3):
        a, b, c = rng.uniform(0.5, 6, 3)
        planes.append(127 + 110 * np.sin(a * x / width * 6.3 + c) * np.cos(b * y / height * 6.3))
    return np.dstack(planes)


def shapes(rng, image):
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(int(rng.integers(2, 9))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(0.05, 0.5) * width, rng.uniform(0.05, 0.5) * height
        box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(box, fill=colour)


def make(seed, size=None):
    """A picture of a seed; of its own size if none is given."""
    rng = np.random.default_rng(seed)
    width, height = size or SHAPES[seed % len(SHAPES)]
    pixels = waves(rng, width, height) + rng.normal(0, rng.uniform(0, 25), (height, width, 3))
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    shapes(rng, image)
    return image


def ensure(folder, count, size=None):
    """Paths of `count` pictures in a folder, made where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:03}.png" for i in range(count)]
    for i, path in enumerate(paths):
        if not path.exists():
            part = path.with_suffix(".part")
            make(i, size).save(part, "PNG")
            part.rename(path)
    return paths


SUBJECTS = ["a dog", "two cats", "an old man", "a red car", "children", "a green bicycle",
            "the sea", "a bowl of fruit", "a street at night", "three birds"]
PLACES = ["on the beach", "in the snow", "behind a fence", "near a table", "under a blue sky",
          "with a ball", "in front of a house", "at the window", "", "by the river, 1975"]
STRANGE = ["", " ", "A", "\u00c9t\u00e9 \u00e0 la plage", "\u4e00\u53ea\u72d7",
           "\U0001f415\U0001f3d6\ufe0f", "don't  STOP\tme\n", "<|endoftext|> a dog <|startoftext|>", "0123456789",
           "a " * 200]


def texts(count):
    """Captions of an everyday kind, and strange ones among them."""
    plain = [f"{s} {p}".strip() for p in PLACES for s in SUBJECTS]
    return (STRANGE + plain + [t.upper() + "!" for t in plain])[:count]


QUERIES = ["a dog", "cat", "a photo of a red car", "tree", "the sky", "person", "ball", "a bird",
           "wheel", "x", "house", "a table and chairs", "green grass", "boat", "window",
           "sign", "\u00e9glise", "hand", "fruit", "a very small thing"]
